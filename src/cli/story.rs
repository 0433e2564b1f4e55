//! The story of a controller, line by line as it happens.

use super::fail::Fail;
use super::output::say;
use crate::model::*;

/// Prints the lines that are new since `told`.
pub fn new_lines(log: &std::collections::VecDeque<LogLine>, total: u64, told: &mut u64) -> Result<(), Fail> {
    let new = usize::try_from(total.saturating_sub(*told)).unwrap_or(usize::MAX).min(log.len());
    for line in log.iter().skip(log.len() - new) {
        let mark = match line.weight {
            Weight::Routine => " ",
            Weight::Notice => "·",
            Weight::Warning => "!",
            Weight::Alarm => "ALARM",
        };
        say(&format!("{} {mark:<5} {:<14} {}", line.at.clock(), line.subject, line.text))?;
    }
    *told = total;
    Ok(())
}
