//! The consensus store: does it answer, would it take our writes, and does it keep its quorum without each region?

use crate::engine::kernel::findings::{Findings, Subject};
use crate::model::*;

/// The time between heartbeats that etcd uses where nobody set another. Its documentation asks for at least the round trip between
/// its members.
const HEARTBEAT: Span = Span::ms(100);

pub(in crate::engine) fn judge(subject: &Subject, found: &mut Findings) {
    use SurveyAbout::Cluster;
    if subject.database.store.is_empty() {
        return found.missing(SurveyCheck::StoreAnswers, Cluster, SurveyFinding::NotConfigured);
    }
    let Some(answers) = subject.answers.map(|a| &a.store) else {
        return found.unknown(SurveyCheck::StoreAnswers, Cluster);
    };
    endpoints(subject, answers, found);
    for alarm in &answers.alarms {
        found.wrong(SurveyCheck::StoreHealth, Cluster, SurveyFinding::Alarm(alarm.clone()));
    }
    writes(answers, found);
    for voter in answers.voters.iter().filter(|v| !v.started) {
        let about =
            if voter.name.is_empty() { Cluster } else { SurveyAbout::Stranger(voter.name.as_str().into()) };
        found.wrong(SurveyCheck::StoreQuorum, about, SurveyFinding::VoterNeverStarted);
    }
    for voter in answers.voters.iter().filter(|v| v.started && !v.answers) {
        found.wrong(
            SurveyCheck::StoreAnswers,
            Cluster,
            SurveyFinding::VoterUnreachable { name: voter.name.as_str().into() },
        );
    }
    match answers.quota {
        Some((used, of)) if used.0.saturating_mul(100) >= of.0.saturating_mul(80) => {
            found.wrong(SurveyCheck::StoreSpace, Cluster, SurveyFinding::NearQuota { used, of });
        }
        Some(_) => found.holds(SurveyCheck::StoreSpace, Cluster),
        None => {}
    }
    quorum(subject, answers, found);
    if let Some(round_trip) = answers.peer_round_trip {
        match round_trip > HEARTBEAT {
            true => {
                found.warn(SurveyCheck::StoreTiming, Cluster, SurveyFinding::PeersFarApart { round_trip })
            }
            false => found.holds(SurveyCheck::StoreTiming, Cluster),
        }
    }
}

fn endpoints(subject: &Subject, answers: &StoreAnswers, found: &mut Findings) {
    for (endpoint, answer) in subject.database.store.iter().zip(&answers.endpoints) {
        let about = || SurveyAbout::Endpoint(endpoint.url.clone());
        let answer = match answer {
            Err(reason) => {
                found.missing(
                    SurveyCheck::StoreAnswers,
                    about(),
                    SurveyFinding::NoAnswer { reason: reason.clone() },
                );
                continue;
            }
            Ok(answer) => answer,
        };
        found.holds(SurveyCheck::StoreAnswers, about());
        if !answer.led {
            found.wrong(SurveyCheck::StoreHealth, about(), SurveyFinding::NoStoreLeader);
        }
        for reason in &answer.errors {
            found.wrong(
                SurveyCheck::StoreHealth,
                about(),
                SurveyFinding::Unhealthy { reason: reason.clone() },
            );
        }
        if answer.learner {
            found.warn(SurveyCheck::StoreHealth, about(), SurveyFinding::EndpointIsLearner);
        }
        found.otherwise_holds(SurveyCheck::StoreHealth, about());
    }
}

fn writes(answers: &StoreAnswers, found: &mut Findings) {
    use SurveyAbout::Cluster;
    if answers.writes.is_empty() {
        return found.unknown(SurveyCheck::StoreWritable, Cluster);
    }
    for (prefix, tried) in &answers.writes {
        // An alarm is told once.
        let no_space = answers.alarms.contains(&StoreAlarm::NoSpace);
        match tried {
            WriteTry::Allowed => {}
            WriteTry::LoginNeeded(reason) => found.wrong(
                SurveyCheck::StoreLogin,
                Cluster,
                SurveyFinding::LoginNeeded { reason: reason.clone() },
            ),
            WriteTry::Denied => found.wrong(
                SurveyCheck::StoreLogin,
                Cluster,
                SurveyFinding::WriteDenied { prefix: prefix.clone() },
            ),
            WriteTry::NoSpace if no_space => {}
            WriteTry::NoSpace => found.wrong(SurveyCheck::StoreWritable, Cluster, SurveyFinding::NoSpace),
            WriteTry::Failed(reason) => found.wrong(
                SurveyCheck::StoreWritable,
                Cluster,
                SurveyFinding::NoAnswer { reason: reason.clone() },
            ),
        }
    }
    found.list.dedup();
    let login_fails = found.list.iter().any(|s| s.check == SurveyCheck::StoreLogin);
    if !login_fails && answers.writes.iter().all(|(_, tried)| *tried == WriteTry::Allowed) {
        found.holds(SurveyCheck::StoreWritable, Cluster);
        found.holds(SurveyCheck::StoreLogin, Cluster);
    }
}

/// Each voter stands in the region of the endpoint that is its own; one without a known region counts as lost with each.
fn quorum(subject: &Subject, answers: &StoreAnswers, found: &mut Findings) {
    use SurveyAbout::Cluster;
    let voters: Vec<&VoterAnswers> = answers.voters.iter().filter(|v| !v.learner).collect();
    let of = u16::try_from(voters.len()).unwrap_or(u16::MAX);
    match of {
        0 => return found.unknown(SurveyCheck::StoreQuorum, Cluster),
        1 => found.warn(SurveyCheck::StoreQuorum, Cluster, SurveyFinding::OneVoter),
        _ if of.is_multiple_of(2) => {
            found.warn(SurveyCheck::StoreQuorum, Cluster, SurveyFinding::EvenVoters { count: of })
        }
        _ => {}
    }
    let endpoint = |v: &VoterAnswers| subject.database.store.get(v.endpoint?);
    // With one endpoint and one voter there is no doubt which it is, whatever address it has for others.
    let only = subject.database.store.first().filter(|_| subject.database.store.len() == 1 && of == 1);
    let places: Vec<Option<&StoreEndpoint>> = voters.iter().map(|v| endpoint(v).or(only)).collect();
    let regions = subject.database.members.iter().map(|m| m.region);
    let mut regions: Vec<RegionId> = regions.collect();
    regions.dedup();
    for region in regions {
        let lost = places.iter().filter(|p| p.is_some_and(|e| e.region == Some(region))).count();
        let unplaced = places.iter().filter(|p| p.is_none_or(|e| e.region.is_none() && !e.outside)).count();
        let left = voters.len() - lost;
        let about = SurveyAbout::Region(region);
        if left * 2 <= voters.len() {
            let finding = SurveyFinding::QuorumLost { without: region, left: left as u16, of };
            found.wrong(SurveyCheck::StoreQuorum, about, finding);
        } else if (left - unplaced) * 2 <= voters.len() {
            let finding = SurveyFinding::PlacesUnknown { without: region, unplaced: unplaced as u16, of };
            found.add(SurveyState::Unknown, SurveyCheck::StoreQuorum, about, finding);
        } else {
            found.holds(SurveyCheck::StoreQuorum, about);
        }
    }
}
