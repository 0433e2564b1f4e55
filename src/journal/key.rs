//! The estate's signing key: made at first use, readable by its owner alone.

use super::chain::Head;
use ed25519_dalek::{Signature, Signer, SigningKey, Verifier, VerifyingKey};
use std::fs::OpenOptions;
use std::io::{self, Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

pub struct Key(SigningKey);

impl Key {
    /// Reads the key, or makes it.
    ///
    /// # Errors
    /// The file cannot be read or written, is no key, or others may read it.
    pub fn load_or_make(path: &Path) -> io::Result<Key> {
        match OpenOptions::new().read(true).open(path) {
            Ok(mut file) => {
                let mode = file.metadata()?.permissions().mode() & 0o777;
                if mode & 0o077 != 0 {
                    let text = format!(
                        "{}: others may read this key (mode {mode:o}); chmod 600 it, and ask who has",
                        path.display()
                    );
                    return Err(io::Error::other(text));
                }
                let mut bytes = Vec::new();
                Read::by_ref(&mut file).take(33).read_to_end(&mut bytes)?;
                let bytes: [u8; 32] = bytes
                    .try_into()
                    .map_err(|_| io::Error::other(format!("{}: not a key of 32 bytes", path.display())))?;
                Ok(Key(SigningKey::from_bytes(&bytes)))
            }
            Err(e) if e.kind() == io::ErrorKind::NotFound => {
                let bytes: [u8; 32] = rand::random();
                let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
                file.write_all(&bytes)?;
                file.sync_all()?;
                Ok(Key(SigningKey::from_bytes(&bytes)))
            }
            Err(e) => Err(e),
        }
    }

    pub fn sign(&self, head: Head) -> [u8; 64] {
        self.0.sign(&head.message()).to_bytes()
    }

    /// Writes the public part beside the key, for accounts that may read the record and not the key.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn publish(&self, path: &Path) -> io::Result<()> {
        let text = format!("{}\n", self.public());
        if std::fs::read_to_string(path).is_ok_and(|found| found == text) {
            return Ok(());
        }
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o640).open(path)?;
        file.write_all(text.as_bytes())
    }

    /// The public part, in hexadecimal.
    pub fn public(&self) -> String {
        self.0.verifying_key().to_bytes().iter().map(|b| format!("{b:02x}")).collect()
    }
}

/// The public key of the journal in a directory; `None`: neither the key nor its public part is there.
///
/// # Errors
/// The key cannot be read, is no key, or others may read it.
pub fn public_key(directory: &Path) -> io::Result<Option<String>> {
    let key = directory.join("key");
    if !key.is_file() {
        return Ok(None);
    }
    match Key::load_or_make(&key) {
        Err(e) if e.kind() == io::ErrorKind::PermissionDenied => {
            std::fs::read_to_string(directory.join("key.pub")).map(|text| Some(text.trim().to_string()))
        }
        made => made.map(|key| Some(key.public())),
    }
}

/// True if the head was signed by the holder of this public key.
pub fn is_signed(public: &str, head: Head, signature: &[u8]) -> bool {
    let key = super::chain::Hash::from_hex(public).and_then(|h| VerifyingKey::from_bytes(&h.0).ok());
    let signature: Option<[u8; 64]> = signature.try_into().ok();
    match (key, signature) {
        (Some(key), Some(signature)) => {
            key.verify(&head.message(), &Signature::from_bytes(&signature)).is_ok()
        }
        _ => false,
    }
}
