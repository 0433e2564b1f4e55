//! The hash chain: each record's hash covers the one before it, so that nothing can be changed, dropped or swapped
//! without every later hash telling.

use std::fmt;

/// A BLAKE3 hash.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Hash(pub [u8; 32]);

impl Hash {
    pub const ZERO: Hash = Hash([0; 32]);

    pub fn from_slice(bytes: &[u8]) -> Option<Hash> {
        Some(Hash(bytes.try_into().ok()?))
    }

    pub fn from_hex(text: &str) -> Option<Hash> {
        if text.len() != 64 || !text.is_ascii() {
            return None;
        }
        let mut bytes = [0; 32];
        for (i, byte) in bytes.iter_mut().enumerate() {
            *byte = u8::from_str_radix(&text[2 * i..2 * i + 2], 16).ok()?;
        }
        Some(Hash(bytes))
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|b| write!(f, "{b:02x}"))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The last record: its number, counted from 1, and its hash. Number 0 stands before the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    pub seq: u64,
    pub hash: Hash,
}

impl Head {
    pub const START: Head = Head { seq: 0, hash: Hash::ZERO };

    /// The head after one more record.
    pub fn then(self, body: &[u8]) -> Head {
        let seq = self.seq + 1;
        let mut hasher = blake3::Hasher::new();
        hasher.update(&self.hash.0).update(&seq.to_le_bytes()).update(body);
        Head { seq, hash: Hash(*hasher.finalize().as_bytes()) }
    }

    /// What is signed.
    pub fn message(self) -> Vec<u8> {
        let mut message = b"bpci journal head 1\0".to_vec();
        message.extend_from_slice(&self.seq.to_le_bytes());
        message.extend_from_slice(&self.hash.0);
        message
    }
}
