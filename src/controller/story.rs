//! The whole story, from the record on the disk: a screen holds only its newest lines.

use crate::engine::{State, line};
use crate::journal::{JournalError, Reader};
use crate::model::{Event, LogLine};
use std::collections::VecDeque;
use std::path::Path;
use std::sync::Arc;

/// Every line of a record with its number, oldest first.
///
/// # Errors
/// The record cannot be read, or what `each` says.
pub fn story<E: From<JournalError>>(path: &Path, mut each: impl FnMut(u64, LogLine) -> Result<(), E>) -> Result<(), E> {
    let mut state: Option<State> = None;
    Reader::open(path)?.each(|entry| {
        if let Event::Started { estate, .. } = &entry.record.event
            && state.is_none()
        {
            state = Some(State::new(Arc::clone(estate)));
        }
        let Some(state) = &mut state else { return Ok(()) };
        if let Some(line) = line(state, &entry.record) {
            each(entry.seq, line)?;
        }
        state.apply(&entry.record);
        Ok(())
    })
}

/// The newest lines of a record that pass, oldest first.
///
/// # Errors
/// The record cannot be read.
pub fn search(path: &Path, most: usize, passes: &dyn Fn(&LogLine) -> bool) -> Result<Vec<LogLine>, JournalError> {
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
