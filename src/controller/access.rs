//! Who may order what at this controller: root and its own account everything, others what `may:` in the configuration
//! gives them.

use super::peer::{Names, Peer, user_name};
use crate::model::{Estate, May, Refusal, RefusalReason, Right};

pub struct Access {
    estate: String,
    may: Option<May>,
    /// The account of the controller.
    own: u32,
    own_name: String,
    /// The group of the data directory: it may read there, so it may observe.
    group: Option<u32>,
}

impl Access {
    pub fn of(estate: &Estate, group: Option<u32>) -> Access {
        let own = Peer::own().uid;
        Access { estate: estate.name.clone(), may: estate.may.clone(), own, own_name: user_name(own), group }
    }

    /// True for root and for the controller's own account.
    fn is_master(&self, peer: &Peer) -> bool {
        peer.uid == 0 || peer.uid == self.own
    }

    /// It may observe without a right of its own: without `may` everybody whom the socket lets in, else who may read the record.
    pub fn sees(&self, peer: &Peer) -> bool {
        self.is_master(peer) || self.may.is_none() || self.group.is_some_and(|gid| peer.groups.contains(&gid))
    }

    pub fn allows(&self, peer: &Peer, names: &Names, right: Right) -> bool {
        self.is_master(peer) || self.may.as_ref().is_some_and(|may| may.gives(right, names.all()))
    }

    pub fn refusal(&self, names: &Names, right: Right) -> Refusal {
        let only = self.may.is_none().then(|| self.own_name.clone());
        let why = RefusalReason::LacksRight {
            account: names.user.clone(),
            right,
            estate: self.estate.clone(),
            only,
        };
        Refusal { law: None, lacks: Some(right), why }
    }
}
