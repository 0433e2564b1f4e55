//! What a survey finds, as it is gathered: each kind adds what it makes of its own answers.

use super::facts::Facts;
use crate::model::*;

/// The database that is judged, and what is known of it.
pub struct Subject<'a> {
    pub cx: &'a Facts<'a>,
    pub group: GroupId,
    pub database: &'a Database,
    pub answers: Option<&'a SurveyAnswers>,
}

impl Subject<'_> {
    /// The member's name in the cluster, else what people call it.
    pub fn name(&self, member: MemberId) -> Name {
        self.cx.member_name(self.group, member).as_ref().into()
    }

    pub fn leader(&self) -> Option<MemberId> {
        self.cx.record(self.group).and_then(StoreRecord::leading_member)
    }

    pub fn member_answers(&self, member: MemberId) -> Option<&MemberAnswers> {
        self.answers?.members.get(member.at())
    }

    pub fn sql(&self, member: MemberId) -> Option<&SqlAnswers> {
        self.member_answers(member)?.sql.as_ref()?.as_ref().ok()
    }
}

#[derive(Default)]
pub struct Findings {
    pub list: Vec<Surveyed>,
}

impl Findings {
    pub fn add(
        &mut self,
        state: SurveyState,
        check: SurveyCheck,
        about: SurveyAbout,
        finding: SurveyFinding,
    ) {
        self.list.push(Surveyed { check, state, about, finding });
    }

    pub fn missing(&mut self, check: SurveyCheck, about: SurveyAbout, finding: SurveyFinding) {
        self.add(SurveyState::Missing, check, about, finding);
    }

    pub fn wrong(&mut self, check: SurveyCheck, about: SurveyAbout, finding: SurveyFinding) {
        self.add(SurveyState::Wrong, check, about, finding);
    }

    pub fn unknown(&mut self, check: SurveyCheck, about: SurveyAbout) {
        self.add(SurveyState::Unknown, check, about, SurveyFinding::NotAskedYet);
    }

    pub fn warn(&mut self, check: SurveyCheck, about: SurveyAbout, finding: SurveyFinding) {
        self.add(SurveyState::Warning, check, about, finding);
    }

    pub fn holds(&mut self, check: SurveyCheck, about: SurveyAbout) {
        self.add(SurveyState::Holds, check, about, SurveyFinding::Good);
    }

    /// Adds that the check holds for what it is about, unless something was found there.
    pub fn otherwise_holds(&mut self, check: SurveyCheck, about: SurveyAbout) {
        if !self.list.iter().any(|s| s.check == check && s.about == about) {
            self.holds(check, about);
        }
    }
}
