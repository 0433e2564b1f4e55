//! Who gives an order. The controller alone makes it, from what the kernel says of the sender; a client never sends one.

use super::disaster::vocabulary;
use serde::{Deserialize, Serialize};
use std::fmt;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Actor {
    /// An account of this machine.
    Account(Box<Account>),
    /// A part of this program.
    Part(Part),
    /// A person whom a scenario, a simulation or a test plays.
    Scripted(String),
    /// As a record of an older program names the sender.
    Named(String),
}

vocabulary!(
    /// A part of this program that decides or proposes by itself.
    Part, "part of the program" {
        /// Begins what is due by rule.
        Automation = "automation",
        /// Puts choices on the table.
        Detection = "detection",
        /// Takes away what the facts no longer support.
        Bpci = "bpci",
        /// Asks what would happen, in a copy of the estate.
        Forecast = "forecast",
    }
);

/// An account of this machine, as the kernel tells it, and what its holder claims beside that.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    pub uid: u32,
    /// The name of this uid; the uid itself if it has none.
    pub name: String,
    /// The account that logged in, if the kernel was told (`/proc/PID/loginuid`). `su` and `sudo` do not change it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub login: Option<LoginAccount>,
    #[serde(default, skip_serializing_if = "Claims::is_empty")]
    pub claimed: Claims,
}

/// The account of a login.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoginAccount {
    pub uid: u32,
    pub name: String,
}

/// What a client says of its user. Nothing proves it, and nothing is permitted because of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// The account that called `sudo`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sudo: Option<String>,
    /// The address that the SSH session came from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// What opened the SSH session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential: Option<Credential>,
}

/// What opened an SSH session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Credential {
    /// The beginning of a key's SHA-256 fingerprint, as `ssh-keygen -l` writes it.
    Key(String),
    /// The identity that its authority wrote into a certificate.
    Certificate(String),
}

/// Characters of a claim that are kept.
const LONG: usize = 64;

impl Actor {
    /// A person whom a scenario or a test plays.
    pub fn scripted(name: &str) -> Actor {
        Actor::Scripted(name.to_string())
    }

    /// A person gives the order, or a program of the person's; no part of this program does it by itself.
    pub const fn is_person(&self) -> bool {
        match self {
            Actor::Account(_) | Actor::Scripted(_) | Actor::Named(_) => true,
            Actor::Part(_) => false,
        }
    }

    pub fn is(&self, part: Part) -> bool {
        *self == Actor::Part(part)
    }

    /// One of this person's names is this one.
    pub fn is_called(&self, name: &str) -> bool {
        let same = |own: &String| own.trim().eq_ignore_ascii_case(name.trim());
        match self {
            Actor::Account(a) => {
                same(&a.name)
                    || a.login.as_ref().is_some_and(|l| same(&l.name))
                    || a.claimed.sudo.as_ref().is_some_and(same)
            }
            Actor::Scripted(own) | Actor::Named(own) => same(own),
            Actor::Part(_) => false,
        }
    }

    /// The actor that a record of version 1 names in words.
    pub fn of_words(words: &str) -> Actor {
        Part::ALL
            .iter()
            .find(|p| p.name() == words)
            .map_or_else(|| Actor::Named(words.to_string()), |p| Actor::Part(*p))
    }
}

impl Claims {
    pub const fn is_empty(&self) -> bool {
        self.sudo.is_none() && self.address.is_none() && self.credential.is_none()
    }

    /// The same without control characters, and of a bounded length: it was sent by a client.
    #[must_use]
    pub fn cleaned(self) -> Claims {
        let clean = |text: String| {
            Some(text.chars().filter(|c| !c.is_control()).take(LONG).collect::<String>())
                .filter(|t| !t.is_empty())
        };
        let credential = match self.credential {
            Some(Credential::Key(text)) => clean(text).map(Credential::Key),
            Some(Credential::Certificate(text)) => clean(text).map(Credential::Certificate),
            None => None,
        };
        Claims { sudo: self.sudo.and_then(clean), address: self.address.and_then(clean), credential }
    }
}

impl fmt::Display for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Credential::Key(fingerprint) => write!(f, "key {fingerprint}"),
            Credential::Certificate(identity) => write!(f, "certificate «{identity}»"),
        }
    }
}

/// `ada as root from 10.0.0.5, key SHA256:Ke+EhocLuX89 (claimed)`
impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Claims { sudo, address, credential } = &self.claimed;
        let login = self.login.as_ref().map(|l| &l.name).filter(|name| **name != self.name);
        let sudo = sudo.as_ref().filter(|name| login.is_none() && **name != self.name);
        if let Some(name) = login.or(sudo) {
            write!(f, "{name} as ")?;
        }
        f.write_str(&self.name)?;
        if let Some(address) = address {
            write!(f, " from {address}")?;
        }
        if let Some(credential) = credential {
            write!(f, ", {credential}")?;
        }
        if sudo.is_some() || address.is_some() || credential.is_some() {
            f.write_str(" (claimed)")
        } else {
            Ok(())
        }
    }
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Actor::Account(account) => f.pad(&account.to_string()),
            Actor::Part(part) => part.fmt(f),
            Actor::Scripted(name) | Actor::Named(name) => f.pad(name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(login: Option<&str>, claimed: Claims) -> Actor {
        let login = login.map(|name| LoginAccount { uid: 1000, name: name.to_string() });
        Actor::Account(Box::new(Account { uid: 0, name: "root".to_string(), login, claimed }))
    }

    #[test]
    fn what_is_claimed_is_marked() {
        let ssh = Claims {
            sudo: Some("eve".to_string()),
            address: Some("10.0.0.5".to_string()),
            credential: Some(Credential::Key("SHA256:Ke+EhocLuX89".to_string())),
        };
        let sudo = Claims { sudo: Some("eve".to_string()), ..Claims::default() };
        for (actor, words) in [
            (account(None, Claims::default()), "root"),
            (account(Some("root"), Claims::default()), "root"),
            (account(Some("ada"), Claims::default()), "ada as root"),
            (
                account(Some("ada"), ssh.clone()),
                "ada as root from 10.0.0.5, key SHA256:Ke+EhocLuX89 (claimed)",
            ),
            // The kernel's word stands before the client's.
            (account(Some("ada"), sudo.clone()), "ada as root"),
            (account(None, sudo), "eve as root (claimed)"),
            (Actor::Part(Part::Automation), "automation"),
            (Actor::scripted("kim"), "kim"),
        ] {
            assert_eq!(actor.to_string(), words);
            let text = serde_json::to_string(&actor).unwrap_or_default();
            assert_eq!(serde_json::from_str::<Actor>(&text).ok(), Some(actor), "{text}");
        }
    }

    #[test]
    fn a_claim_has_no_control_characters_and_an_end() {
        let long = Claims {
            sudo: Some("\u{1b}[2J\n".to_string()),
            address: Some("x".repeat(1000)),
            credential: Some(Credential::Key("\n".to_string())),
        };
        let clean = long.cleaned();
        assert_eq!(
            (clean.sudo.as_deref(), clean.address.map(|a| a.len()), clean.credential),
            (Some("[2J"), Some(LONG), None)
        );
    }

    #[test]
    fn a_part_of_the_program_is_not_a_person() {
        assert!(["automation", "detection", "bpci"].iter().all(|words| !Actor::of_words(words).is_person()));
        assert!(Actor::of_words("ada as root").is_person() && Actor::of_words("ada").is_called(" ADA "));
        assert!(
            account(Some("ada"), Claims::default()).is_called("ada")
                && !account(Some("ada"), Claims::default()).is_called("kim")
        );
    }
}
