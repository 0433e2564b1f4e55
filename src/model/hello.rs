//! What a controller says of itself before anything is asked of it.

use super::Target;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;

/// A controller of this machine since it was started up: made from the public key of its journal and the machine's boot
/// id. Two controllers with journals of their own never share one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ControllerId([u8; 4]);

impl ControllerId {
    pub fn of(public_key: &str, boot_id: &str) -> ControllerId {
        let mut hasher = blake3::Hasher::new();
        hasher
            .update(b"bpci controller 1\0")
            .update(public_key.trim().as_bytes())
            .update(b"\0")
            .update(boot_id.trim().as_bytes());
        let mut short = [0; 4];
        short.copy_from_slice(&hasher.finalize().as_bytes()[..4]);
        ControllerId(short)
    }
}

impl fmt::Display for ControllerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|b| write!(f, "{b:02x}"))
    }
}

impl fmt::Debug for ControllerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::str::FromStr for ControllerId {
    type Err = String;

    fn from_str(text: &str) -> Result<ControllerId, String> {
        let wrong = || {
            format!(
                "`{text}` is not a controller id; it has 8 hexadecimal digits, and `bpci bc status` prints it"
            )
        };
        if text.len() != 8 || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(wrong());
        }
        u32::from_str_radix(text, 16).map(|n| ControllerId(n.to_be_bytes())).map_err(|_| wrong())
    }
}

impl Serialize for ControllerId {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ControllerId {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<ControllerId, D::Error> {
        String::deserialize(d)?.parse().map_err(serde::de::Error::custom)
    }
}

/// The answer to the first question on a controller's socket.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    pub controller: ControllerId,
    pub target: Target,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_read_as_it_is_written() {
        let id = ControllerId::of("ab12", "boot");
        assert_eq!(id.to_string().parse(), Ok(id));
        assert_ne!(id, ControllerId::of("ab12", "another boot"));
        assert_ne!(id, ControllerId::of("ab13", "boot"));
        for wrong in ["", "12", "+1234567", "zzzzzzzz", "123456789"] {
            assert!(wrong.parse::<ControllerId>().is_err(), "{wrong}");
        }
    }
}
