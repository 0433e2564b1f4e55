//! The fence: its commands can be started by us and changed by nobody else, and need nothing of the region that they fence.

use crate::engine::kernel::findings::{Findings, Subject};
use crate::model::{self, *};

impl super::Switch for Command {
    fn judge(&self, subject: &Subject, fence: &Fence, found: &mut Findings) {
        judge(subject, fence, found);
    }
}

fn judge(subject: &Subject, fence: &model::Fence, found: &mut Findings) {
    use SurveyAbout::Fence;
    found.holds(SurveyCheck::Fence, Fence);
    for region in &fence.depends_on {
        if subject.database.members.iter().any(|m| m.region == *region) {
            found.wrong(SurveyCheck::FenceNeeds, Fence, SurveyFinding::NeedsItsRegion { region: *region });
        }
    }
    found.otherwise_holds(SurveyCheck::FenceNeeds, Fence);
    match subject.answers {
        None => found.unknown(SurveyCheck::FenceCommand, Fence),
        Some(answers) => answers.fence.iter().for_each(|command| file(command, found)),
    }
    if fence.check.is_none() {
        return found.warn(SurveyCheck::FenceCheck, Fence, SurveyFinding::NoCheckCommand);
    }
    for member in subject.database.member_ids() {
        let (check, about) = (SurveyCheck::FenceCheck, SurveyAbout::Member(member));
        match subject.cx.member(subject.group, member).and_then(|m| m.fence_check.as_ref()) {
            None => found.unknown(check, about),
            Some((Ok(()), _)) => found.holds(check, about),
            Some((Err(reason), _)) => {
                found.wrong(check, about, SurveyFinding::FenceCheckFailed { reason: reason.clone() })
            }
        }
    }
}

fn file(command: &CommandAnswers, found: &mut Findings) {
    let (check, role, program) = (SurveyCheck::FenceCommand, command.role, || command.program.clone());
    let before = found.list.len();
    let mut wrong = |finding| found.wrong(check, SurveyAbout::Fence, finding);
    match &command.file {
        Err(reason) => {
            wrong(SurveyFinding::FileUnusable { role, program: program(), reason: reason.clone() })
        }
        Ok(file) => {
            if !file.executable {
                wrong(SurveyFinding::NotExecutable { role, program: program() });
            }
            if !file.owned {
                wrong(SurveyFinding::NotOwned { role, program: program() });
            }
            if file.writable {
                wrong(SurveyFinding::WritableByOthers { role, program: program() });
            }
        }
    }
    if command.names_in_shell {
        wrong(SurveyFinding::NamesInShell { role });
    }
    if found.list.len() == before {
        found.otherwise_holds(check, SurveyAbout::Fence);
    }
}
