//! The words of the file that names the active region.

use super::RouteWords;

pub(super) const WORDS: RouteWords = RouteWords {
    title: "file",
    name: "file",
    no_answer: "check `traffic.active_file.path`: bpci must be able to read and replace the file",
};
