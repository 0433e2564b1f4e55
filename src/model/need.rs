//! What people and this program need themselves in order to recover an estate: sign-in, VPN, secrets, DNS, paging, chat.

use super::{Estate, Health, RegionId, Utc};
use serde::{Deserialize, Serialize};

/// Something that a recovery needs and that is no part of the estate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Need {
    /// What it is called in the configuration, such as `sso` or `vpn`.
    pub name: String,
    /// Where it runs; it is lost when all of these are. A name that is no region of the estate is a place outside of it.
    pub regions: Vec<String>,
    pub provider: Option<String>,
    /// How it is asked whether it answers.
    pub probe: Option<Health>,
    pub break_glass: Option<BreakGlass>,
}

/// The way in that works without it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BreakGlass {
    pub who: String,
    /// The day it was last exercised.
    pub exercised: Option<Utc>,
}

/// Whether a need is lost with a region or a provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum NeedLoss {
    Stays,
    /// The configuration does not say where it runs, or who provides it.
    Unknown,
    Lost,
}

impl Need {
    /// Whether it is lost with a region.
    pub fn lost_with_region(&self, region: &str) -> NeedLoss {
        match self.regions.as_slice() {
            [] => NeedLoss::Unknown,
            all if all.iter().all(|r| r == region) => NeedLoss::Lost,
            _ => NeedLoss::Stays,
        }
    }

    /// Whether it is lost with a provider, which takes all of its regions with it.
    pub fn lost_with_provider(&self, provider: &str, estate: &Estate) -> NeedLoss {
        let of_provider = |name: &String| {
            let region = estate.region_named(name).map(|r| estate.region(r));
            region.is_some_and(|r| r.provider.as_deref() == Some(provider))
        };
        match &self.provider {
            Some(own) if own == provider => NeedLoss::Lost,
            _ if !self.regions.is_empty() && self.regions.iter().all(of_provider) => NeedLoss::Lost,
            None => NeedLoss::Unknown,
            Some(_) => NeedLoss::Stays,
        }
    }
}

impl Estate {
    /// The needs that are lost with a region, or may be.
    pub fn needs_without(&self, region: RegionId) -> Vec<(&Need, NeedLoss)> {
        let name = &self.region(region).name;
        self.needs
            .iter()
            .map(|n| (n, n.lost_with_region(name)))
            .filter(|(_, loss)| *loss != NeedLoss::Stays)
            .collect()
    }

    /// Every provider of a region or of a need, each once, in alphabetical order.
    pub fn providers(&self) -> Vec<&str> {
        let regions = self.regions.iter().filter_map(|r| r.provider.as_deref());
        let mut list: Vec<&str> =
            regions.chain(self.needs.iter().filter_map(|n| n.provider.as_deref())).collect();
        list.sort_unstable();
        list.dedup();
        list
    }
}
