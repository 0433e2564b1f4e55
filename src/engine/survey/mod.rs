//! The judgement of a survey: what of all that an operation would need is there, is wrong, or is not known.
//!
//! Pure: it looks at the telemetry and at the newest survey answers of a database. It asks nothing and decides nothing else.

mod cluster;
mod fence;
mod members;
mod routes;
mod store;

use super::{Engine, Facts};
use crate::model::*;

impl Engine {
    /// Everything that the survey finds about a database, what stops an operation first.
    pub fn survey(&self, now: Now, group: GroupId) -> Vec<Surveyed> {
        survey(&self.facts(now), group)
    }
}

/// Everything that the survey finds about a database, what stops an operation first.
pub fn survey(cx: &Facts, group: GroupId) -> Vec<Surveyed> {
    let Some(database) = cx.database(group) else { return Vec::new() };
    let answers = cx.telemetry.group(group).survey.as_ref().map(|(answers, _)| answers);
    let subject = Subject { cx, group, database, answers };
    let mut found = Findings::default();
    cluster::judge(&subject, &mut found);
    store::judge(&subject, &mut found);
    members::judge(&subject, &mut found);
    routes::judge(&subject, &mut found);
    fence::judge(&subject, &mut found);
    found.list.sort_by_key(|s| (s.state, s.check));
    found.list
}

/// The database that is judged, and what is known of it.
pub(super) struct Subject<'a> {
    pub(super) cx: &'a Facts<'a>,
    pub(super) group: GroupId,
    pub(super) database: &'a Database,
    answers: Option<&'a SurveyAnswers>,
}

impl Subject<'_> {
    /// The member's name in the cluster, else what people call it.
    fn name(&self, member: MemberId) -> Name {
        self.cx.member_name(self.group, member).as_ref().into()
    }

    pub(super) fn leader(&self) -> Option<MemberId> {
        self.cx.record(self.group).and_then(StoreRecord::leading_member)
    }

    fn member_answers(&self, member: MemberId) -> Option<&MemberAnswers> {
        self.answers?.members.get(member.at())
    }

    fn sql(&self, member: MemberId) -> Option<&SqlAnswers> {
        self.member_answers(member)?.sql.as_ref()?.as_ref().ok()
    }
}

#[derive(Default)]
pub(super) struct Findings {
    pub(super) list: Vec<Surveyed>,
}

impl Findings {
    fn add(&mut self, state: SurveyState, check: SurveyCheck, about: SurveyAbout, finding: SurveyFinding) {
        self.list.push(Surveyed { check, state, about, finding });
    }

    pub(super) fn missing(&mut self, check: SurveyCheck, about: SurveyAbout, finding: SurveyFinding) {
        self.add(SurveyState::Missing, check, about, finding);
    }

    pub(super) fn wrong(&mut self, check: SurveyCheck, about: SurveyAbout, finding: SurveyFinding) {
        self.add(SurveyState::Wrong, check, about, finding);
    }

    pub(super) fn unknown(&mut self, check: SurveyCheck, about: SurveyAbout) {
        self.add(SurveyState::Unknown, check, about, SurveyFinding::NotAskedYet);
    }

    pub(super) fn warn(&mut self, check: SurveyCheck, about: SurveyAbout, finding: SurveyFinding) {
        self.add(SurveyState::Warning, check, about, finding);
    }

    pub(super) fn holds(&mut self, check: SurveyCheck, about: SurveyAbout) {
        self.add(SurveyState::Holds, check, about, SurveyFinding::Good);
    }

    /// Adds that the check holds for what it is about, unless something was found there.
    pub(super) fn otherwise_holds(&mut self, check: SurveyCheck, about: SurveyAbout) {
        if !self.list.iter().any(|s| s.check == check && s.about == about) {
            self.holds(check, about);
        }
    }
}
