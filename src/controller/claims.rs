//! What this process knows of its user beside the account: how the user came. A controller records it as claimed.

use crate::model::{Claims, Credential};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use sha2::{Digest as _, Sha256};

/// From the environment: `sudo` and sshd set it (a key only with `ExposeAuthInfo yes` in `sshd_config`).
pub fn own_claims() -> Claims {
    let set = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let exposed = set("SSH_USER_AUTH").and_then(|path| std::fs::read_to_string(path).ok());
    Claims {
        sudo: set("SUDO_USER"),
        address: set("SSH_CONNECTION").and_then(|c| c.split_whitespace().next().map(str::to_string)),
        credential: exposed.and_then(|told| credential(&told)),
    }
    .cleaned()
}

/// What sshd exposes of who came: `publickey TYPE KEY`, the key in base64. Of a key the beginning of its fingerprint, as
/// `ssh-keygen -l` writes it; of a certificate the identity that its authority wrote into it (PROTOCOL.certkeys).
fn credential(exposed: &str) -> Option<Credential> {
    let line = exposed.lines().find(|l| l.starts_with("publickey "))?;
    let (kind, key) = line.split_whitespace().nth(1).zip(line.split_whitespace().nth(2))?;
    let key = STANDARD.decode(key).ok()?;
    if kind.contains("-cert-v01@") {
        return certified(&key).map(Credential::Certificate);
    }
    let whole = STANDARD_NO_PAD.encode(Sha256::digest(key));
    Some(Credential::Key(format!("SHA256:{}", &whole[..12])))
}

/// The key identity of a certificate: what follows its kind, a nonce, the fields of the key, a serial number and a type.
fn certified(blob: &[u8]) -> Option<String> {
    let mut rest = blob;
    let kind = field(&mut rest)?;
    let of_key = match kind {
        k if k.starts_with(b"ssh-ed25519-") => 1,
        k if k.starts_with(b"ssh-rsa-") || k.starts_with(b"ecdsa-") || k.starts_with(b"sk-ssh-ed25519-") => 2,
        k if k.starts_with(b"sk-ecdsa-") => 3,
        _ => return None,
    };
    for _ in 0..=of_key {
        field(&mut rest)?;
    }
    rest = rest.get(12..)?;
    let identity = String::from_utf8_lossy(field(&mut rest)?).into_owned();
    Some(identity.chars().filter(|c| !c.is_control()).take(64).collect())
}

/// The next string of SSH's wire format: its length in four bytes, then itself.
fn field<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (length, after) = rest.split_first_chunk::<4>()?;
    let length = u32::from_be_bytes(*length) as usize;
    let found = after.get(..length)?;
    *rest = &after[length..];
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(exposed: &str) -> Option<String> {
        credential(exposed).map(|c| c.to_string())
    }

    /// The key and what `ssh-keygen -lf` says of it.
    #[test]
    fn a_key_is_named_as_ssh_keygen_names_it() {
        let key = "AAAAC3NzaC1lZDI1NTE5AAAAIBRPGWCxP1HG2LZPJV0Jq+teokY9goKIG8TB1u/xjHoy";
        assert_eq!(
            told(&format!("publickey ssh-ed25519 {key}\n")).as_deref(),
            Some("key SHA256:Ke+EhocLuX89")
        );
        assert_eq!(told("password\n"), None);
        assert_eq!(told("publickey ssh-ed25519 %%%\npublickey"), None);
        assert_eq!(told(""), None);
    }

    /// Made with `ssh-keygen -s ca -I ada@example.org -n root key.pub`.
    #[test]
    fn a_certificate_is_named_by_its_identity() {
        assert_eq!(told(CERTIFICATE).as_deref(), Some("certificate «ada@example.org»"));
        for cut in 0..CERTIFICATE.len() {
            // However it is cut, it names nobody else.
            assert!(
                told(&CERTIFICATE[..cut]).is_none_or(|who| who == "certificate «ada@example.org»"),
                "{cut}"
            );
        }
    }

    const CERTIFICATE: &str = "publickey ssh-ed25519-cert-v01@openssh.com AAAAIHNzaC1lZDI1NTE5LWNlcnQtdjAxQG9wZW5zc2guY29tAAAAIGynrjvquafzQuS\
        fyTiAd7lisFqQXoElZD1DUCEUBUzqAAAAICOkh3MJKob8K6znbEd+yNpG8UpM2+uiFWoE/BOxu2kgAAAAAAAAAAAAAAABAAAAD2F\
        kYUBleGFtcGxlLm9yZwAAAAgAAAAEcm9vdAAAAAAAAAAA//////////8AAAAAAAAAggAAABVwZXJtaXQtWDExLWZvcndhcmRpbmc\
        AAAAAAAAAF3Blcm1pdC1hZ2VudC1mb3J3YXJkaW5nAAAAAAAAABZwZXJtaXQtcG9ydC1mb3J3YXJkaW5nAAAAAAAAAApwZXJtaXQ\
        tcHR5AAAAAAAAAA5wZXJtaXQtdXNlci1yYwAAAAAAAAAAAAAAMwAAAAtzc2gtZWQyNTUxOQAAACBWU/0esgkaCqjByNzUxBFX21P\
        rh44fV5iW4YoDt2Y3VgAAAFMAAAALc3NoLWVkMjU1MTkAAABAaHyI5kZ2TdE+7oX8+u8V6o1XP13hLEvLcyxFsW6FX1vphh1Funz\
        zVIekPnwPXIS7T9AS67glc2cOSd2eBNbuAA==";
}
