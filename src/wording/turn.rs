//! A database's cluster for the record: who leads it, who is silent, whether writes are held twice.

use super::names::Names;
use crate::engine::SILENCE;
use crate::model::*;

/// Who leads it now, if anybody does.
pub fn primary_changed(
    names: &Names,
    group: GroupId,
    leader: Option<MemberId>,
    timeline: Option<Timeline>,
) -> (Weight, Subject, String) {
    let state = names.state;
    let name = leader.map_or_else(|| "nobody".to_string(), |m| names.member(group, m));
    let on = timeline.map_or(String::new(), |t| format!(" on timeline {t}"));
    let before = state.primaries.get(group.at()).and_then(|p| p.0);
    // What nobody here has begun was fenced by nobody here.
    let ours = leader.is_some_and(|to| state.gave_to(group, to));
    let by_itself =
        before.is_some() && leader.is_some() && before != leader && state.running(group).is_none() && !ours;
    let by = if by_itself { ", by no operation of ours: nothing was fenced from here" } else { "" };
    // Of a history that ends before it something was acknowledged, and is gone.
    let known = state.primaries.get(group.at()).and_then(|p| p.1);
    let back = known.zip(timeline).filter(|(known, now)| now < known);
    let back =
        back.map(|(known, _)| format!("; timeline {known} is left: what was acknowledged on it is lost"));
    let weight = match (&back, by_itself) {
        (Some(_), _) => Weight::Alarm,
        (None, true) => Weight::Warning,
        (None, false) => Weight::Notice,
    };
    (weight, Subject::Group(names.group(group)), format!("{name} leads{on}{by}{}", back.unwrap_or_default()))
}

/// How what is known of it has turned.
pub fn turned(names: &Names, group: GroupId, turn: &Turn) -> (Weight, Subject, String) {
    let state = names.state;
    let leader = || {
        state
            .primaries
            .get(group.at())
            .and_then(|p| p.0)
            .map_or_else(|| "nobody".to_string(), |m| names.member(group, m))
    };
    let (weight, text) = match turn {
        Turn::StoreSilent => (Weight::Warning, format!("etcd has not answered for {}", SILENCE)),
        Turn::StoreAnswers => (Weight::Notice, "etcd answers again".to_string()),
        Turn::SteppedDown => {
            (Weight::Alarm, format!("{} answers and leads no more: nobody takes writes", leader()))
        }
        Turn::PrimarySilent => (
            Weight::Alarm,
            format!(
                "{} does not answer us, and nobody says that it lives; nothing is declared yet",
                leader()
            ),
        ),
        Turn::AgentSilent => {
            let so = "its lease runs out, and who takes over then stands beside it";
            (Weight::Alarm, format!("Patroni on {} does not answer, its PostgreSQL does: {so}", leader()))
        }
        Turn::OnlyOursFail => {
            (Weight::Warning, format!("{} does not answer us; others say that it lives", leader()))
        }
        Turn::TwoMayWrite => {
            let text = "the PostgreSQL of a former primary answers and its Patroni does not: it may take writes beside";
            (Weight::Alarm, format!("{text} {}", leader()))
        }
        Turn::OneWrites => (Weight::Notice, format!("nobody may take writes beside {} any more", leader())),
        Turn::PrimaryHeard => (Weight::Notice, format!("{} answers", leader())),
        Turn::WritesAlone => (
            Weight::Warning,
            format!("nobody is synchronous: what {} acknowledges is on it alone, and lost with it", leader()),
        ),
        Turn::WritesWait => (
            Weight::Alarm,
            format!("nobody is synchronous: {} acknowledges nothing until somebody is", leader()),
        ),
        Turn::Protected => {
            (Weight::Notice, "a standby is synchronous again: what is acknowledged is held twice".to_string())
        }
        Turn::LeadsAgain => (Weight::Notice, format!("{} leads: writes may go on", leader())),
    };
    (weight, Subject::Group(names.group(group)), text)
}
