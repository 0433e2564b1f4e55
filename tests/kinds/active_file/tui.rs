//! The file has no region: the details of a region do not show it.

use super::RoutePanel;
use crate::model::ActiveFile;

impl RoutePanel for ActiveFile {
    fn held(here: usize, of: usize) -> String {
        format!("{here} of {of} files that name the active region")
    }
}
