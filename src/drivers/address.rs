//! The members as they were last known: a dead member's key vanishes from the store, and it must still be probed.

use crate::model::{Database, MemberId, MemberKey};
use std::path::PathBuf;
use std::sync::Mutex;

pub struct Addresses {
    file: PathBuf,
    known: Mutex<Vec<MemberKey>>,
}

impl Addresses {
    /// What was known when the program last ran. Which configured member each is, is found anew: the file may be older than the
    /// configuration.
    pub fn load(file: PathBuf, database: &Database) -> Addresses {
        let read = std::fs::read(&file).ok().and_then(|b| serde_json::from_slice(&b).ok());
        let mut known: Vec<MemberKey> = read.unwrap_or_default();
        for key in &mut known {
            key.member = database.members.iter().position(|m| m.rest == key.address).map(MemberId::of);
        }
        Addresses { file, known: Mutex::new(known) }
    }

    pub fn get(&self) -> Vec<MemberKey> {
        self.known.lock().map(|k| k.clone()).unwrap_or_default()
    }

    pub fn set(&self, new: Vec<MemberKey>) {
        let Ok(mut known) = self.known.lock() else { return };
        if *known != new {
            if let Ok(bytes) = serde_json::to_vec(&new) {
                // Lost, it is learned again from the store; only a dead member's address would be missed.
                let _ = std::fs::write(&self.file, bytes);
            }
            *known = new;
        }
    }

    /// Where a member's database listens.
    pub fn sql(&self, member: MemberId) -> Option<String> {
        self.known.lock().ok()?.iter().find(|m| m.member == Some(member))?.sql.clone()
    }
}
