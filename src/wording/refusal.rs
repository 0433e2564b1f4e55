//! Why an order was refused, and what helps.

use super::check_words;
use crate::model::*;

/// A refusal in one line: the reason, the law, what helps.
pub fn refusal_words(refusal: &Refusal) -> String {
    let (reason, remedy) = reason_and_remedy(&refusal.why);
    let law = refusal.law.map_or(String::new(), |law| format!(" (law {law})"));
    let remedy = if remedy.is_empty() { remedy } else { format!("; {remedy}") };
    format!("{reason}{law}{remedy}")
}

/// The reason, and what helps; that is empty where nothing does.
pub fn reason_and_remedy(why: &RefusalReason) -> (String, String) {
    let (reason, remedy) = match why {
        RefusalReason::NoSuch(listed) => {
            (format!("there is no such {}", listed_word(*listed)), "look at the list again; it may be over")
        }
        RefusalReason::LacksRight { account, right, estate, only } => {
            let remedy = match only {
                None => format!(
                    "add `{right}` for it, or for one of its groups, under `may` in the configuration of {estate}"
                ),
                Some(own) => {
                    format!("the configuration of {estate} has no `may`: only root and {own} give orders")
                }
            };
            return (format!("{account} lacks the right to {}", right_words(*right)), remedy);
        }
        RefusalReason::Choice(why) => choice(why),
        RefusalReason::Confirmation(why) => return confirmation(why),
        RefusalReason::Operation(why) => operation(why),
        RefusalReason::Estate(why) => return estate(why),
        RefusalReason::Controller(why) => controller(why),
        RefusalReason::Simulation(why) => simulation(why),
        RefusalReason::Written { reason, remedy } => return (reason.clone(), remedy.clone()),
    };
    (reason, remedy.to_string())
}

const fn listed_word(listed: Listed) -> &'static str {
    match listed {
        Listed::ProtectionGroup => "protection group",
        Listed::Region => "region",
        Listed::Member => "member",
        Listed::Choice => "choice",
        Listed::Operation => "operation",
        Listed::Step => "step",
        Listed::Plan => "plan",
    }
}

const fn right_words(right: Right) -> &'static str {
    match right {
        Right::Observe => "see this estate",
        Right::Note => "write notes",
        Right::Vouch => "vouch for a database",
        Right::Propose => "propose",
        Right::Confirm => "confirm",
        Right::AcceptLoss => "accept a risk",
        Right::Arm => "arm the controller",
        Right::Stop => "stop countdowns and disarm",
        Right::Abort => "abort operations",
        Right::Supersede => "supersede operations",
        Right::Adopt => "adopt a changed cluster",
    }
}

fn choice(why: &ChoiceRefused) -> (String, &'static str) {
    match why {
        ChoiceRefused::Departed { group } => (
            format!(
                "{group} is not configured as it was any more, and something of it is still to be undone"
            ),
            "undo that first, or end its operation; then start again",
        ),
        ChoiceRefused::DepartedSince => {
            ("that group has departed from the configuration".to_string(), "nothing was begun")
        }
        ChoiceRefused::AlreadyRuns { operation, group } => (
            format!("{operation} already runs on {}", group.as_deref().unwrap_or("that group")),
            "wait for it, or abort it",
        ),
        ChoiceRefused::NoDatabase { group } => {
            (format!("{group} has no database to fail over"), "name the group of the database it depends on")
        }
        ChoiceRefused::PrimaryUnknown { group } => {
            (format!("the primary of {group} is not known"), "wait until etcd or the members answer")
        }
        ChoiceRefused::NotThePrimary { region, group, primary } => (
            format!("{region} is not the primary of {group}; {primary} is"),
            "name the region that is to be left",
        ),
        ChoiceRefused::LeadsAlready { member, group } => {
            (format!("{member} leads {group} already"), "name another region, or none")
        }
        ChoiceRefused::NoPlan { intent } => (format!("no plan is a {intent}"), "add one to `plans`"),
        ChoiceRefused::NoCandidate => ("there is no candidate".to_string(), "nothing was begun"),
        ChoiceRefused::NoCountdown => ("no countdown runs".to_string(), "nothing to stop"),
    }
}

fn confirmation(why: &ConfirmationRefused) -> (String, String) {
    let again = "read it again and confirm what it says now";
    let (reason, remedy) = match why {
        ConfirmationRefused::ChoiceGone => {
            ("that choice is not on the table any more".to_string(), "look at the screen again")
        }
        ConfirmationRefused::ReadOnly => (
            "this controller is read-only".to_string(),
            "arm it first: by --arm, or by typing the estate's name",
        ),
        ConfirmationRefused::OtherName { typed, region } => {
            return (
                format!("`{typed}` is not the name of the region that is left"),
                format!("type {region}"),
            );
        }
        ConfirmationRefused::Changed(Shown::Choice) => {
            ("the choice was changed since it was shown".to_string(), again)
        }
        ConfirmationRefused::Changed(Shown::Plan) => {
            ("the plan was changed since it was shown".to_string(), again)
        }
        ConfirmationRefused::Changed(Shown::Facts) => {
            ("the facts have changed since it was shown".to_string(), again)
        }
        ConfirmationRefused::ShownTooLongAgo { ago } => (format!("it was shown {ago} ago"), again),
        ConfirmationRefused::Blocked { check } => (check_words(check), mends(check.id)),
        ConfirmationRefused::RisksNotAccepted { checks, risks } => {
            let reasons: Vec<String> = checks.iter().map(check_words).collect();
            return (
                reasons.join("; "),
                format!("to accept it, type: {}", risk_words(risks).unwrap_or_default()),
            );
        }
        ConfirmationRefused::NoSecondPerson => {
            ("the plan asks for a second person".to_string(), "name who else says yes; it cannot be you")
        }
        ConfirmationRefused::Waits { operation } => {
            return (
                format!("{operation} waits on that group"),
                format!("name it to supersede it: {operation}; or abort it first"),
            );
        }
    };
    (reason, remedy.to_string())
}

/// What helps against a check that stands in the way.
const fn mends(check: CheckId) -> &'static str {
    match check {
        CheckId::Observers => "if it must be left all the same: --manual-override, which fences it first",
        CheckId::SecondFactor => "the service checks it; else take it out of the plan's `approval`",
        CheckId::Store | CheckId::Candidate => "mend that first; nothing was begun",
        _ => "nothing was begun",
    }
}

fn operation(why: &OperationRefused) -> (String, &'static str) {
    match why {
        OperationRefused::IsOver { operation, status } => {
            (format!("{operation} is over: {}", status.word()), "nothing to do")
        }
        OperationRefused::HandedOver { operation } => (
            format!("{operation} has handed over; a promotion cannot be taken back"),
            "let it finish, then fail back",
        ),
        OperationRefused::HasActed { operation } => {
            (format!("{operation} has already acted"), "roll it back, which undoes the fence and the drain")
        }
        OperationRefused::AwaitsEffect { operation } => {
            (format!("{operation} waits to hear what came of an effect"), "try again in a second")
        }
        OperationRefused::LedBy { member } => (
            format!("{member} leads now: undoing the fence would bring the old primary back beside it"),
            "give it up (abort): what was done stays as it is",
        ),
        OperationRefused::UnderWay { effect, step } => {
            (format!("«{effect}» of step {step} is still under way"), "try again in a second")
        }
        OperationRefused::StepNeeded { step } => (
            format!("step {step} is what the recovery rests on; it cannot be left out"),
            "try it again, or roll back",
        ),
        OperationRefused::StepAsksNothing { step } => {
            (format!("step {step} asks nothing"), "nothing to answer")
        }
        OperationRefused::LacksMoreThanProtection { operation } => {
            (format!("{operation} does not lack protection alone"), "wait until only that is missing")
        }
        OperationRefused::NotSeenToLead { member } => (
            format!("{member} is not seen to lead: there is nothing to accept"),
            "wait until it leads, or give it up (abort) and fail over anew",
        ),
    }
}

fn estate(why: &EstateRefused) -> (String, String) {
    match why {
        EstateRefused::OtherEstate { typed, estate } => {
            (format!("`{typed}` is not this estate's name"), format!("type {estate}"))
        }
        EstateRefused::OtherGroup { typed, group } => {
            (format!("`{typed}` is not the name of this protection group"), format!("type {group}"))
        }
        EstateRefused::IdentityUnchanged { group } => (
            format!("the identity of the cluster of {group} has not changed"),
            "nothing to adopt".to_string(),
        ),
        EstateRefused::NotUnproven { group } => (
            format!("{group} is not unproven: nothing is to be vouched for"),
            "write a note to record what you have seen".to_string(),
        ),
    }
}

fn controller(why: &ControllerRefused) -> (String, &'static str) {
    match why {
        ControllerRefused::OtherTarget { controller, estate } => (
            format!("controller {controller} of {estate} has another target"),
            "compare the configuration files; nothing was done",
        ),
        ControllerRefused::NotUnderstood { error } => {
            (format!("not understood: {error}"), "the program and the controller are of different versions")
        }
        ControllerRefused::OtherAnswer => ("the controller answered something else".to_string(), "try again"),
        ControllerRefused::NoAnswer { error } => (
            format!("the controller does not answer: {error}"),
            "whether the order was heard is not known: look at the status",
        ),
        ControllerRefused::Ended => ("the controller has ended".to_string(), "start the program again"),
        ControllerRefused::JournalFailed { error } => {
            (format!("the journal cannot be written: {error}"), "free some disk space; nothing was done")
        }
        ControllerRefused::IsLive => ("this is a live estate".to_string(), "that is for simulations"),
        ControllerRefused::IsReplay => {
            ("this is a replay: what happened, happened".to_string(), "press q, and open the live estate")
        }
        ControllerRefused::NothingToSimulate => (
            "nothing of it can be simulated".to_string(),
            "a forecast needs a database whose members are known",
        ),
        ControllerRefused::NothingProposed => ("nothing was proposed".to_string(), ""),
        ControllerRefused::NothingMeasured => (
            "nothing that was measured is known".to_string(),
            "of a record: the tape beside it does not reach there; of a live estate: wait until it answers",
        ),
    }
}

fn simulation(why: &SimulationRefused) -> (String, &'static str) {
    match why {
        SimulationRefused::NoWayBack => ("a simulation does not go back".to_string(), "begin it anew"),
        SimulationRefused::NotRecorded { error } => (error.clone(), "free some disk space"),
        SimulationRefused::NoFault { error } => (error.clone(), "pick one from the list"),
        SimulationRefused::NoRegion => ("no such region".to_string(), "write FAULT REGION [GROUP]"),
        SimulationRefused::NoStandby { region } => {
            (format!("{region} holds no standby: it leads there"), "name the region of a standby")
        }
        SimulationRefused::NothingFor(Scripted::Countdown) => ("no countdown runs".to_string(), ""),
        SimulationRefused::NothingFor(Scripted::Operation) => ("no operation runs".to_string(), ""),
        SimulationRefused::NothingFor(Scripted::Question) => ("nothing is asked".to_string(), ""),
        SimulationRefused::NothingFor(Scripted::Choice) => ("the choice is gone".to_string(), ""),
    }
}
