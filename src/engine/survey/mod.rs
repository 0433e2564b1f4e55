//! The judgement of a survey: what of all that an operation would need is there, is wrong, or is not known.
//!
//! Pure: it looks at the telemetry and at the newest survey answers of a database. It asks nothing and decides nothing else.

mod routes;

use super::kernel::findings::{Findings, Subject};
use super::kinds;
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
    kinds::replicated(database).judge(&subject, &mut found);
    routes::judge(&subject, &mut found);
    fence(&subject, &mut found);
    found.list.sort_by_key(|s| (s.state, s.check));
    found.list
}

fn fence(subject: &Subject, found: &mut Findings) {
    match &subject.database.fence {
        None => found.missing(SurveyCheck::Fence, SurveyAbout::Fence, SurveyFinding::NotConfigured),
        Some(fence) => kinds::switch(fence).judge(subject, fence, found),
    }
}
