//! The configuration as it is written: the two blocks of reference 000, and ours beside them.
//!
//! Positions are kept for whatever is checked against something else in the file.

use super::connect_file::{EtcdFile, EtcdSchema, LoginFile, RestFile, SqlFile, TlsFile};
use super::duration::Duration;
use super::kinds::TrafficFile;
use super::need_file::NeedFile;
use super::waiver_file::{DrilledFile, FenceProofFile};
use crate::model::{Automation, DisasterType, Right, Role, Severity, Strategy, Watchdog};
use schemars::JsonSchema;
use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_saphyr::Spanned;
use std::collections::BTreeMap;
use std::fmt;

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct File {
    /// The estate's name. Default: the only database's scope, else the file's name.
    #[schemars(with = "Option<String>")]
    pub name: Option<Spanned<String>>,
    /// It is there to be rehearsed on: live drills may strike it, and automation's rules can be waived without a reason.
    #[serde(default)]
    pub test_estate: bool,
    /// The rights of groups and accounts of this machine. Default: only root and the controller's own account give orders.
    #[schemars(with = "Option<BTreeMap<String, Vec<Right>>>")]
    pub may: Option<Spanned<BTreeMap<String, Spanned<Vec<Right>>>>>,
    pub business_continuity: Option<BusinessContinuity>,
    pub disaster_recovery: Option<DisasterRecovery>,
    /// What automation may not do.
    pub automation: Option<AutomationFile>,
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, ServiceFile>")]
    pub services: BTreeMap<String, Spanned<ServiceFile>>,
    /// Files with plans of your own, relative to this one.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub plans: Vec<Spanned<String>>,
    /// What a recovery needs besides: sign-in, VPN, SSH certificate authority, secrets, DNS, paging, chat.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, NeedFile>")]
    pub needs: BTreeMap<String, Spanned<NeedFile>>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BusinessContinuity {
    pub sla_targets: Option<SlaTargets>,
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, RegionFile>")]
    pub regions: BTreeMap<String, Spanned<RegionFile>>,
    #[serde(default)]
    #[schemars(with = "Vec<ScenarioRule>")]
    pub disaster_scenarios: Vec<Spanned<ScenarioRule>>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SlaTargets {
    #[schemars(with = "f64")]
    pub uptime_percentage: Option<Spanned<f64>>,
    #[schemars(with = "u32")]
    pub rto_minutes: Option<Spanned<u32>>,
    pub rpo_minutes: Option<u32>,
    pub mttr_minutes: Option<u32>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RegionFile {
    #[schemars(with = "String")]
    pub region_id: Spanned<String>,
    /// The share of the normal total load that the region can carry, in percent.
    #[schemars(with = "u16")]
    pub capacity_percentage: Spanned<u16>,
    /// 1 is chosen first.
    #[schemars(with = "u16")]
    pub failover_priority: Spanned<u16>,
    /// Default: by priority active, hot, warm, cold.
    pub role: Option<Role>,
    /// The name that it had before: what the journal holds of that one is carried over.
    #[schemars(with = "Option<String>")]
    pub was: Option<Spanned<String>>,
    pub provider: Option<String>,
    pub data_center: Option<String>,
    /// The lag that replication to it is known to have.
    #[schemars(with = "Option<Duration>")]
    pub replication_lag: Option<Spanned<Duration>>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ScenarioRule {
    #[serde(rename = "type")]
    #[schemars(with = "DisasterType")]
    pub kind: Spanned<DisasterType>,
    pub severity: Severity,
    #[schemars(with = "Option<bool>")]
    pub automated_response: Option<Spanned<bool>>,
    #[schemars(with = "Strategy")]
    pub recovery_strategy: Spanned<Strategy>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DisasterRecovery {
    pub detection: Option<DetectionFile>,
    #[serde(default)]
    #[schemars(with = "BTreeMap<Strategy, StrategyFile>")]
    pub recovery_strategies: BTreeMap<Strategy, Spanned<StrategyFile>>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DetectionFile {
    #[schemars(with = "Duration")]
    pub health_check_interval: Option<Spanned<Duration>>,
    #[schemars(with = "u16")]
    pub failure_threshold: Option<Spanned<u16>>,
    #[schemars(with = "Duration")]
    pub disaster_classification_timeout: Option<Spanned<Duration>>,
    pub automated_response_delay: Option<Duration>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StrategyFile {
    #[schemars(with = "Duration")]
    pub target_rto: Spanned<Duration>,
    #[schemars(with = "Duration")]
    pub target_rpo: Spanned<Duration>,
    pub automation_level: Automation,
    #[serde(default = "yes")]
    pub validation_required: bool,
}

fn yes() -> bool {
    true
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AutomationFile {
    /// Not so soon after its own start or a change of configuration (60s).
    pub settle: Option<Duration>,
    /// Not again on the same group within this time (1hour).
    pub cooldown: Option<Duration>,
    /// Not with a fence whose last proof is older (30days), or `{ not_required: true, reason: ..., until: DATE }`.
    #[schemars(with = "Option<FenceProofFile>")]
    pub fence_proof: Option<Spanned<FenceProofFile>>,
    /// Waives `fence_proof` without a reason: only in a simulation and in a test estate.
    #[schemars(with = "Option<bool>")]
    pub fence_proof_not_required: Option<Spanned<bool>>,
    /// Only plans that were drilled since their last change (true), or `{ not_required: true, reason: ..., until: DATE }`.
    /// `false` waives it without a reason: only in a simulation and in a test estate.
    #[schemars(with = "Option<DrilledFile>")]
    pub drilled: Option<Spanned<DrilledFile>>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ServiceFile {
    /// The name that it had before: what the journal holds of that one is carried over.
    #[schemars(with = "Option<String>")]
    pub was: Option<Spanned<String>>,
    /// 1 matters most (1).
    #[schemars(with = "u8")]
    pub tier: Option<Spanned<u8>>,
    #[schemars(with = "Option<Duration>")]
    pub rto: Option<Spanned<Duration>>,
    #[schemars(with = "Option<Duration>")]
    pub rpo: Option<Spanned<Duration>>,
    /// Default: the database's members, else every region.
    #[schemars(with = "Option<Vec<String>>")]
    pub regions: Option<Vec<Spanned<String>>>,
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub depends_on: Vec<Spanned<String>>,
    /// Services with the same word are recovered together.
    #[schemars(with = "Option<String>")]
    pub protection_group: Option<Spanned<String>>,
    #[schemars(with = "Option<PatroniFile>")]
    pub patroni: Option<Spanned<PatroniFile>>,
    #[schemars(with = "Option<FenceFile>")]
    pub fence: Option<Spanned<FenceFile>>,
    #[schemars(with = "Option<TrafficFile>")]
    pub traffic: Option<Spanned<TrafficFile>>,
    #[schemars(with = "Option<HealthFile>")]
    pub health: Option<Spanned<HealthFile>>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PatroniFile {
    #[schemars(with = "String")]
    pub scope: Spanned<String>,
    /// Default: /service/
    pub namespace: Option<String>,
    /// Region to the REST address of its member, or to a list of addresses. Members are matched by their address.
    #[schemars(with = "BTreeMap<String, MembersFile>")]
    pub members: BTreeMap<String, Spanned<MembersFile>>,
    /// Endpoints of the consensus store, each a URL or `{ url, region }`; or a block with `endpoints`, login and TLS.
    #[serde(default)]
    #[schemars(with = "EtcdSchema")]
    pub etcd: EtcdFile,
    /// Older form: the region of each endpoint, in the same order.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub etcd_regions: Vec<Spanned<String>>,
    /// The members' REST API: its login and TLS.
    #[schemars(with = "Option<RestFile>")]
    pub rest: Option<Spanned<RestFile>>,
    /// Older form of `rest: { user, password_file }`.
    #[schemars(with = "Option<LoginFile>")]
    pub auth: Option<Spanned<LoginFile>>,
    /// TLS of each protocol that has none of its own.
    #[schemars(with = "Option<TlsFile>")]
    pub tls: Option<Spanned<TlsFile>>,
    #[schemars(with = "Option<SqlFile>")]
    pub postgres: Option<Spanned<SqlFile>>,
    /// `watchdog.mode` of patroni.yml on every member: a declaration.
    pub watchdog: Option<Watchdog>,
}

/// The members in one region: an address, or a list of addresses and `{ name, url }`.
#[derive(Debug, JsonSchema)]
#[schemars(untagged)]
pub enum MembersFile {
    One(String),
    Several(#[schemars(with = "Vec<MemberFile>")] Vec<Spanned<MemberFile>>),
}

/// One member: its REST address, or its name in the cluster with it.
#[derive(Debug, JsonSchema)]
#[schemars(untagged)]
pub enum MemberFile {
    Url(String),
    Named(NamedMember),
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NamedMember {
    /// The member's name in Patroni.
    pub name: String,
    pub url: String,
}

impl MemberFile {
    pub fn url(&self) -> &str {
        match self {
            MemberFile::Url(url) => url,
            MemberFile::Named(member) => &member.url,
        }
    }

    pub fn name(&self) -> Option<&str> {
        match self {
            MemberFile::Url(_) => None,
            MemberFile::Named(member) => Some(&member.name),
        }
    }
}

impl<'de> Deserialize<'de> for MembersFile {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Members;
        impl<'de> Visitor<'de> for Members {
            type Value = MembersFile;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a REST address such as http://10.0.0.1:8008, or a list of them")
            }

            fn visit_str<E>(self, url: &str) -> Result<MembersFile, E> {
                Ok(MembersFile::One(url.to_string()))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<MembersFile, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = list.next_element()? {
                    members.push(member);
                }
                Ok(MembersFile::Several(members))
            }
        }
        from.deserialize_any(Members)
    }
}

impl<'de> Deserialize<'de> for MemberFile {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Member;
        impl<'de> Visitor<'de> for Member {
            type Value = MemberFile;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a REST address, or { name: ..., url: ... }")
            }

            fn visit_str<E>(self, url: &str) -> Result<MemberFile, E> {
                Ok(MemberFile::Url(url.to_string()))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<MemberFile, A::Error> {
                NamedMember::deserialize(MapAccessDeserializer::new(map)).map(MemberFile::Named)
            }
        }
        from.deserialize_any(Member)
    }
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FenceFile {
    /// Exit status 0: the member is proven off, also if it already was. `{region}` and `{member}` are replaced. A program with a
    /// slash in its name, and words that begin with `./` or `../`, are relative to this file.
    #[schemars(with = "Vec<String>")]
    pub exec: Spanned<Vec<String>>,
    /// Can it be fenced? Fires nothing.
    pub check: Option<Vec<String>>,
    /// Lets a fenced member come back.
    pub undo: Option<Vec<String>>,
    /// Default: 5s
    pub timeout: Option<Duration>,
    /// Regions that the fence itself needs.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub depends_on: Vec<Spanned<String>>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HealthFile {
    pub http: Option<String>,
    /// Default: 200
    pub expect: Option<u16>,
    /// `host:port`
    pub tcp: Option<String>,
    /// An answer that takes longer is none (1s).
    #[schemars(with = "Option<Duration>")]
    pub within: Option<Spanned<Duration>>,
}
