//! What a check found, in words.

use super::{claim_words, says_words, sign_words, tally_words};
use crate::model::*;

/// The text of a check.
pub fn check_words(check: &Check) -> String {
    finding_words(&check.finding)
}

/// What a check found.
pub fn finding_words(finding: &Finding) -> String {
    match finding {
        Finding::Cluster(finding) => cluster_words(finding),
        Finding::Store(finding) => store_words(finding),
        Finding::Claim(finding) => claim_words(finding),
        Finding::Primary(finding) => primary_words(finding),
        Finding::Candidate(finding) => candidate_words(finding),
        Finding::Writes(finding) => writes_words(finding),
        Finding::Fence(finding) => fence_words(finding),
        Finding::Entry(finding) => entry_words(finding),
        Finding::Load(finding) => load_words(finding),
        Finding::SecondFactor => {
            "the plan asks for a second factor, and nothing here can check one".to_string()
        }
        Finding::Supersedes { operation } => {
            format!("supersedes {operation}, which waits: its fence and drained servers pass to this one")
        }
        Finding::Runs { operation } => format!("{operation} runs on this group: wait for it, or abort it"),
        Finding::Words(words) => words.clone(),
    }
}

fn cluster_words(finding: &ClusterFinding) -> String {
    match finding {
        ClusterFinding::Corrupt { kind, region } => {
            let what = match kind {
                DisasterType::CyberIncident => "an intruder is",
                _ => "corrupt data",
            };
            format!("{what} in {region}: replicas carry it too, a failover does not mend it")
        }
        ClusterFinding::MayBeCorrupt => "its data may be corrupt as well: replicas carry it".to_string(),
        ClusterFinding::IdentityChanged => {
            "the cluster that answers is not the one that was seen before; if it is meant, adopt it first (bpci estate adopt)".to_string()
        }
        ClusterFinding::NotInStore { prefix } => format!("etcd has no cluster under {prefix}: wrong namespace or scope"),
        ClusterFinding::OtherSystem { scope, stored, told } => {
            format!("this etcd is not the one that {scope} uses: its system id is {stored}, the members say {told}")
        }
        ClusterFinding::SameSystem { scope, system } => format!("{scope}, system {system}"),
        ClusterFinding::SystemNotTold { scope } => format!("no member of {scope} has told its system id"),
        ClusterFinding::NoAddressInStore { scope } => {
            format!("no member in this etcd has an address of {scope}'s: it is not the one that {scope} uses")
        }
        ClusterFinding::CitusGroups { prefix } => format!("Citus groups are not supported: etcd has the groups 0, 1, ... under {prefix}"),
    }
}

/// A leader that the estate does not name, and where it says that it can be reached.
pub fn unconfigured_words(leader: &UnconfiguredLeader) -> String {
    let address = leader.address.as_ref().map_or(String::new(), |a| format!(" (REST address in etcd: {a})"));
    format!("led by {}, which is not configured{address}", leader.name)
}

fn store_words(finding: &StoreFinding) -> String {
    match finding {
        StoreFinding::None => {
            "no etcd is named for this cluster: the lock cannot be handed over safely".to_string()
        }
        StoreFinding::NotRead { within, why: None } => format!("etcd was not read within {within}"),
        StoreFinding::NotRead { within, why: Some(StoreSilence::NoAnswerYet) } => {
            format!("etcd was not read within {within}: no answer yet")
        }
        StoreFinding::NotRead { within, why: Some(StoreSilence::Failed(reason)) } => {
            format!("etcd was not read within {within}: {reason}")
        }
        StoreFinding::NoQuorum { up, of } => format!("etcd keeps {up} of {of}: no quorum, no safe hand-over"),
        StoreFinding::NoQuorumWithout { region, left, of } => {
            format!("etcd keeps {left} of {of} without {region}; no safe hand-over")
        }
        StoreFinding::Quorum { up, of } => format!("etcd {up}/{of}"),
        StoreFinding::Paused => "Patroni is paused; resume it first".to_string(),
        StoreFinding::Unreadable { key } => {
            let remedy = match &key.key {
                ClusterKey::Config => "; correct it with patronictl edit-config",
                ClusterKey::Operation => "; another version of bpci may have written it: use that one",
                ClusterKey::Sync | ClusterKey::Status | ClusterKey::History | ClusterKey::Member(_) => "",
            };
            format!("etcd key {} cannot be read: {}{remedy}", key.key, key.reason)
        }
        StoreFinding::StandbyCluster => "this is a standby cluster: promote the cluster instead".to_string(),
        StoreFinding::RequestPending { to, scheduled } => {
            let to = to.as_deref().unwrap_or("any member");
            match scheduled {
                Some(at) => format!("a switchover to {to} is scheduled for {at}; cancel it first"),
                None => {
                    format!("a failover to {to} is already asked for in the store; wait for it or remove it")
                }
            }
        }
    }
}

fn primary_words(finding: &PrimaryFinding) -> String {
    match finding {
        PrimaryFinding::None => "there is no primary".to_string(),
        PrimaryFinding::NotConfigured { leader } => {
            format!(
                "{}; add it to `members` as {{ name: {}, url: ... }}, or correct a member's URL",
                unconfigured_words(leader),
                leader.name
            )
        }
        PrimaryFinding::DoesNotLead { member } => {
            format!("{member} does not lead; a switchover needs a living primary")
        }
        PrimaryFinding::Leads { member } => format!("{member} leads and answers"),
        PrimaryFinding::Unheard { member, alive } => {
            format!(
                "{member} does not answer us as a leader, and lives ({}): leave it, and mend our way to it",
                sign_words(alive)
            )
        }
        PrimaryFinding::NoAnswer { member } => {
            format!(
                "{member} does not answer as a leader; a switchover needs a living primary: fail over instead"
            )
        }
        PrimaryFinding::Alive { member, sign, instead } => {
            let instead = match instead {
                Instead::LeaveIt => "leave it, and mend our way to it; or override",
                Instead::SwitchOver => "switch over instead, or override",
                Instead::AwaitStore => "and nothing can be handed over until etcd answers",
            };
            format!("{member} is alive ({}): {instead}", sign_words(sign))
        }
        PrimaryFinding::Gone { tally } => tally_words(tally),
        PrimaryFinding::GoneForSome { tally } => {
            format!("only {}; nothing says that it lives", tally_words(tally))
        }
        PrimaryFinding::NotKnownGone { member, ours } => {
            format!(
                "it is not known whether {member} is gone: {}",
                ours.as_ref().map_or("no observer", says_words)
            )
        }
        PrimaryFinding::RegionAnswers { member } => {
            format!(
                "{member} answers us: its region is not lost; fail over from the primary alone, or override"
            )
        }
    }
}

fn candidate_words(finding: &CandidateFinding) -> String {
    match finding {
        CandidateFinding::None => "there is no other member".to_string(),
        CandidateFinding::NotHeard { member } => format!("{member} has not been heard of yet"),
        CandidateFinding::MayTakeOver { member } => format!("{member} may take over"),
        CandidateFinding::DidNotAnswer { member, within } => {
            format!("{member} did not answer within {within}")
        }
        CandidateFinding::NobodySynchronous { member, within, old, holds_all } => {
            let back =
                if *holds_all { "; it holds every write: once it is back, nothing is lost" } else { "" };
            format!(
                "/sync names no living standby outside {old}: {member} did not answer within {within}{back}"
            )
        }
        CandidateFinding::NoStandby { member, state } => format!("{member} is no running standby ({state})"),
        CandidateFinding::NotRunning { member, state } => format!("{member} is {state}, not running"),
        CandidateFinding::NoFailover { member } => format!("{member} is tagged nofailover"),
        CandidateFinding::NotSynchronous { member, simulated } => {
            // In a simulation nobody can type that.
            let here = if *simulated { "; in a simulation i, two_synchronous stands for it" } else { "" };
            let how = format!("make it one first (patronictl edit-config: synchronous_node_count 2{here})");
            format!("{member} is not the synchronous standby; Patroni hands over only to that one: {how}")
        }
        CandidateFinding::IsLeft { member } => format!("{member} is to be left"),
        CandidateFinding::NotInStore { member } => {
            format!(
                "no member in etcd has the REST address that is configured for {member}; naming it would elect nobody"
            )
        }
        CandidateFinding::AlreadyLeads { member } => format!("{member} already leads"),
        CandidateFinding::Failsafe => {
            "the standbys honour a failsafe ping; wait until it has run out".to_string()
        }
        CandidateFinding::BehindTimeline { member, timeline, cluster } => {
            format!("{member} is on timeline {timeline}, the cluster on {cluster}")
        }
    }
}

fn amount(behind: Option<Bytes>) -> String {
    behind.map_or("an unknown amount".to_string(), |l| l.to_string())
}

fn seen_words(seen: &SeenBehind) -> String {
    match seen {
        SeenBehind::BeforeSilence { of, bytes } => format!("was {bytes} behind when {of} fell silent"),
        SeenBehind::Last(behind) => format!("was last seen {} behind", amount(*behind)),
    }
}

fn writes_words(finding: &WritesFinding) -> String {
    match finding {
        WritesFinding::Asynchronous { member, behind } => {
            format!("the cluster replicates asynchronously; {member} is {} behind", amount(*behind))
        }
        WritesFinding::OtherIsSynchronous { member, synchronous, seen } => {
            format!(
                "{member} is not the synchronous standby, {synchronous} is; {member} {}",
                seen_words(seen)
            )
        }
        WritesFinding::OldAnswers { member, old, seen } => {
            format!(
                "/sync names no living standby outside {old}, which answers; {member} may lack writes ({})",
                seen_words(seen)
            )
        }
        WritesFinding::MayLack { member, holders, seen } => {
            let wait = format!("nothing is lost should {} come back", holders.join(" or "));
            format!(
                "{member} may lack writes ({}), for /sync names no living standby; {wait}",
                seen_words(seen)
            )
        }
        WritesFinding::VoterAhead { voter } => format!("{voter} is ahead of the candidate"),
        WritesFinding::VotersMissing { needed, answered } => {
            format!("the quorum needs {needed} voters to answer; only {answered} did")
        }
        WritesFinding::TooFarBehind { member, behind } => {
            format!(
                "{member} is {} behind; Patroni will not elect it; naming it may lose asynchronous commits",
                amount(*behind)
            )
        }
        WritesFinding::HoldsAll { member, received, heard } => {
            let heard = heard.as_ref().map_or(String::new(), |h| {
                format!("; {} was last heard {} ago, at {}", h.member, h.ago, h.position)
            });
            let has = received.map_or(String::new(), |p| format!(" (it has {p}{heard})"));
            format!("{member} holds every acknowledged write, as the store records it{has}")
        }
    }
}

fn fence_words(finding: &FenceFinding) -> String {
    match finding {
        FenceFinding::NoPrimary => "there is no primary to fence".to_string(),
        FenceFinding::None { member, overwrites: Some(v) } => {
            format!(
                "no fence is configured; Patroni {v} lets a returning {member} overwrite the lock: acknowledged writes were lost that way"
            )
        }
        FenceFinding::None { member, overwrites: None } => {
            format!("no fence is configured: {member} may return and take writes beside the new primary")
        }
        FenceFinding::NameUnknown { member } => {
            format!(
                "the name of {member} in the cluster is not known, so nobody knows what to fence; etcd tells it, or write {{ name, url }}"
            )
        }
        FenceFinding::Needs { region } => format!("the fence needs {region}, which is failing"),
        FenceFinding::CheckFails { reason } => format!("its check says: {reason}"),
        FenceFinding::Proven { ago, took } => format!("proven {ago} ago, {took}"),
        FenceFinding::NeverFired { group, member } => {
            format!("never fired for {group} in {member}: if it fails, as if left")
        }
    }
}

fn entry_words(finding: &EntryFinding) -> String {
    match finding {
        EntryFinding::Answers => "a balancer answers".to_string(),
        EntryFinding::TakenOut { member } => {
            format!("{member} is taken out of the balancers: it is set ready there once it leads")
        }
        EntryFinding::NoneAnswers { balancers } => {
            let place = |b: &EntryPlace| {
                b.region
                    .as_ref()
                    .map_or_else(|| b.address.clone(), |region| format!("{} in {region}", b.address))
            };
            let silent: Vec<String> = balancers.iter().map(place).collect();
            format!(
                "no entry answers ({}): it keeps the data, users are served once traffic is led anew",
                silent.join(", ")
            )
        }
        EntryFinding::NoneIsOurs { balancer, backend, servers } if servers.is_empty() => {
            format!(
                "backend {backend} of HAProxy {balancer} has no servers; add the members, or correct `backend`"
            )
        }
        EntryFinding::NoneIsOurs { balancer, backend, servers } => format!(
            "no server of backend {backend} of HAProxy {balancer} is a member of this cluster ({}); name the servers as Patroni names the members, or correct `backend`",
            servers.join(", ")
        ),
        EntryFinding::NotInBackend { balancer, backend, member } => {
            format!(
                "backend {backend} of HAProxy {balancer} has no server for {member}; add one, named {member}"
            )
        }
        EntryFinding::InMaintenance { server, opens } => {
            let so =
                if *opens { "this plan opens it first" } else { "fail back instead, which opens it first" };
            format!("{server} is in maintenance on a balancer: writes would find no way; {so}")
        }
    }
}

fn load_words(finding: &LoadFinding) -> String {
    let short = |strain: &Strain| match strain {
        Strain::Fits => "",
        Strain::Slow => ": it would be slow; shed load first",
        Strain::Short => ": shed load or scale up first",
    };
    match finding {
        LoadFinding::OfDatabase { region, before, after, all, strain } => {
            let all = all.as_ref().map_or(String::new(), |all| {
                let guess = if all.as_they_came { "as they came" } else { "in equal parts" };
                format!(", {}% with all {} databases of {}, {guess}", all.percent, all.databases, all.from)
            });
            format!("{region} {before}→{after}% with this database{all}{}", short(strain))
        }
        LoadFinding::OfRegion { region, before, after, from, strain } => {
            format!("{region} {before}→{after}% if all that {from} carries comes{}", short(strain))
        }
        LoadFinding::OfLargerRegion { region, size, before, alone, after, from, from_size, strain } => {
            let alone = alone.map_or(String::new(), |part| format!("{part}% with this database, "));
            format!(
                "{region} (size {size}) {before}→{alone}{after}% with all of {from} (size {from_size}){}",
                short(strain)
            )
        }
        LoadFinding::Unknown { region } => format!("the live capacity of {region} is unknown"),
    }
}

/// The figure that a check rests on.
pub fn figure_words(figure: Figure) -> String {
    let Figure::Load { before, after, whole } = figure;
    let of = if whole { " in all" } else { "" };
    format!("{before}→{after}%{of}")
}

/// Why a promotion is not proven to be safe.
pub fn no_proof_words(missing: &NoProof) -> String {
    let name = |port: &Port| match port {
        Port::Sql => "database",
        Port::Rest => "REST",
    };
    match missing {
        NoProof::NeitherFencedNorAccepted => {
            "no fence has answered 0 and nobody has accepted the risk".to_string()
        }
        NoProof::NoMember { member } => format!("{member} is no member any more"),
        NoProof::Answered { member, ago } => format!("the fence returned 0 but {member} answered {ago} ago"),
        NoProof::NotTried { member, port } => {
            format!("{member}'s {} port: not tried since the fence answered", name(port))
        }
        NoProof::NotYetGone { member, port } => {
            format!(
                "the fence returned 0 but the {} port of {member} is not yet known to be gone",
                name(port)
            )
        }
        NoProof::StillHeard { member, by } => format!("the fence returned 0 but {by} still hears {member}"),
        NoProof::NotKnownWhetherHeard { member, by } => {
            format!("whether {by} still hears {member} is not known yet")
        }
        NoProof::RenewedLock { member } => {
            format!("the fence returned 0 but {member} renewed its lock since")
        }
        NoProof::Check(finding) => finding_words(finding),
        NoProof::StoreNotRead { within } => format!("etcd was not read within {}", within.written()),
        NoProof::NotRegistered { member } => format!("{member} is not registered in etcd"),
        NoProof::ClaimGone => "our claim in the store is gone".to_string(),
        NoProof::LockHeld { by } => format!("the lock is held by {by} now"),
    }
}
