//! The whole story, from the record on the disk: a screen holds only its newest lines.

use crate::journal::{JournalError, Reader};
use crate::model::{Event, LogLine};
use crate::wording::Story;
use std::collections::VecDeque;
use std::path::Path;
use std::sync::Arc;

/// Every line of a record with its number, oldest first.
///
/// # Errors
/// The record cannot be read, or what `each` says.
pub fn story<E: From<JournalError>>(
    path: &Path,
    mut each: impl FnMut(u64, LogLine) -> Result<(), E>,
) -> Result<(), E> {
    let mut story: Option<Story> = None;
    Reader::open(path)?.each(|entry| {
        if let Event::Started { estate, .. } = &entry.record.event
            && story.is_none()
        {
            story = Some(Story::new(Arc::clone(estate)));
        }
        match story.as_mut().and_then(|story| story.tell(&entry.record)) {
            Some(line) => each(entry.seq, line.clone()),
            None => Ok(()),
        }
    })
}

/// The newest lines of a record that pass, oldest first.
///
/// # Errors
/// The record cannot be read.
pub fn search(
    path: &Path,
    most: usize,
    passes: &dyn Fn(&LogLine) -> bool,
) -> Result<Vec<LogLine>, JournalError> {
    let mut found = VecDeque::new();
    story(path, |_, line| {
        if passes(&line) {
            if found.len() == most {
                found.pop_front();
            }
            found.push_back(line);
        }
        Ok::<(), JournalError>(())
    })?;
    Ok(found.into())
}
