//! Orders in words, for people at a prompt: the same orders as everywhere.

use super::named::{group_named, member_named, step_named};
use super::output::{Lines, own_lines};
use crate::model::*;
use crate::wording::{check_words, otherwise_words, proposal_reason_words, refusal_words};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Why a choice is on the table that somebody ordered. Its `by` says who that was.
pub const ORDERED: &str = "by order";

/// A choice on the table, in lines.
pub fn describe(snapshot: &Snapshot, view: &ProposalView) -> Lines {
    let estate = &snapshot.estate;
    let (p, a) = (&view.proposal, &view.assessment);
    let to = a.to.map_or(std::borrow::Cow::Borrowed("?"), |m| snapshot.label(p.group, m));
    let mut lines = vec![format!(
        "DECISION  {} {} {} → {to}?",
        p.plan,
        estate.group(p.group).name,
        estate.region(p.from).name
    )];
    if let Some(left) = view.automatic_in {
        lines.push(format!("  automatic in {left}; `stop` leaves it to you"));
    }
    lines.push(format!("  why       {}", proposal_reason_words(&p.reason)));
    if p.intent != Intent::Guided {
        lines.push(format!("  loses     {}", a.loss));
        lines.push(format!("  leave it  {}", otherwise_words(&a.otherwise)));
    }
    for check in &a.checks {
        let mark = match check.verdict {
            Verdict::Pass => "✓".to_string(),
            Verdict::Advice => "!".to_string(),
            Verdict::Risk(_) => "✗ typed risk".to_string(),
            Verdict::Block { law, .. } => format!("✗ law {law}"),
        };
        let age = check.at.map_or(String::new(), |at| format!(" ({} ago)", snapshot.now.mono.since(at)));
        lines.push(format!("  {mark} {}: {}{age}", check.name(), check_words(check)));
    }
    if let Some(risk) = risk_words(&a.risks) {
        lines.push(format!("  to accept the risk, type: {risk}"));
    }
    if a.second_person {
        lines.push("  the plan asks for a second person: --second-person NAME".to_string());
    }
    if let Some(old) = a.supersedes {
        lines.push(format!("  {old} waits on this database: --supersede {old} puts this in its place"));
    }
    if let Some(known) = snapshot.forecasts.iter().find(|f| f.proposal == p.id) {
        lines.extend(super::forecast::words(estate, view, &known.forecast));
    }
    lines.push(format!("  evidence {}", a.evidence));
    lines
}

/// The confirmation of what this snapshot shows.
pub fn confirmation(
    snapshot: &Snapshot,
    view: &ProposalView,
    typed: &str,
    accept_risk: Option<String>,
) -> Confirmation {
    Confirmation {
        proposal: view.proposal.id,
        nonce: view.assessment.nonce,
        seen: snapshot.now.utc,
        plan: view.assessment.plan,
        evidence: view.assessment.evidence,
        typed: typed.to_string(),
        accepts: accept_risk
            .as_ref()
            .map_or_else(Vec::new, |typed| read_risks(typed, &view.assessment.risks)),
        accept_risk,
        manual_override: false,
        second_person: None,
        supersedes: None,
    }
}

/// What was printed of each choice on the table: a confirmation is of that, and of nothing newer.
#[derive(Default)]
pub struct Printed(BTreeMap<ProposalId, (u32, Digest)>);

impl Printed {
    /// What is to be printed of the choices on the table: new ones, and what has changed about one since it was printed.
    pub fn news(&mut self, snapshot: &Snapshot) -> Vec<Lines> {
        self.0.retain(|id, _| snapshot.proposals.iter().any(|v| v.proposal.id == *id));
        let mut list = Vec::new();
        for view in &snapshot.proposals {
            let key = (view.assessment.nonce, view.assessment.evidence);
            match self.0.insert(view.proposal.id, key) {
                Some(before) if before == key => {}
                Some(_) => {
                    let mut lines =
                        vec!["CHANGED: a confirmation of what stood here before is void".to_string()];
                    lines.extend(describe(snapshot, view));
                    list.push(lines);
                }
                None => list.push(describe(snapshot, view)),
            }
        }
        list
    }
}

/// `confirm NAME [GROUP] [--second-person WHO] [--manual-override] [--supersede ID] [RISK …]`, of what was printed.
fn confirmed(
    snapshot: &Snapshot,
    printed: &Printed,
    name: &str,
    rest: &[&str],
) -> Result<Confirmation, String> {
    let of = |word: &&str| group_named(&snapshot.estate, word).ok();
    let group = rest.first().and_then(of);
    let mut rest = rest.iter().skip(usize::from(group.is_some()));
    let named = |v: &&ProposalView| {
        snapshot.estate.region(v.proposal.from).name == name && group.is_none_or(|g| g == v.proposal.group)
    };
    let open: Vec<&ProposalView> = snapshot.proposals.iter().filter(named).collect();
    let view = match open.as_slice() {
        [one] => *one,
        [] => {
            let runs = snapshot
                .operations
                .iter()
                .find(|o| !o.is_over() && snapshot.estate.region(o.from).name == name);
            let why = runs.map_or(String::new(), |o| format!(": {} runs already", o.id));
            return Err(format!("no choice leaves {name}{why}; nothing was done"));
        }
        several => {
            let names: Vec<&str> =
                several.iter().map(|v| snapshot.estate.group(v.proposal.group).name.as_str()).collect();
            return Err(format!(
                "{} choices leave {name}: confirm {name} GROUP, one of {}; nothing was done",
                names.len(),
                names.join(", ")
            ));
        }
    };
    let (nonce, evidence) =
        *printed.0.get(&view.proposal.id).ok_or("it was not printed yet: read it first")?;
    let (mut risk, mut second_person, mut manual_override, mut supersedes) = (Vec::new(), None, false, None);
    while let Some(word) = rest.next() {
        match *word {
            "--second-person" => {
                second_person = Some(rest.next().ok_or("name the second person")?.to_string())
            }
            "--manual-override" => manual_override = true,
            "--supersede" => supersedes = Some(rest.next().ok_or("name the operation that waits")?.parse()?),
            word => risk.push(word),
        }
    }
    let accept_risk = Some(risk.join(" ")).filter(|r| !r.is_empty());
    if let Some(words) = accept_risk.as_ref().filter(|_| view.assessment.risks.is_empty()) {
        return Err(format!("«{words}» is no database, and no risk is asked for; nothing was done"));
    }
    Ok(Confirmation {
        nonce,
        evidence,
        second_person,
        manual_override,
        supersedes,
        ..confirmation(snapshot, view, name, accept_risk)
    })
}

/// Choices of this group, or all.
fn choices<'a>(snapshot: &'a Snapshot, group: &[&str]) -> Result<Vec<&'a ProposalView>, String> {
    let group = group.first().map(|name| group_named(&snapshot.estate, name)).transpose()?;
    let list: Vec<&ProposalView> =
        snapshot.proposals.iter().filter(|v| group.is_none_or(|g| g == v.proposal.group)).collect();
    if list.is_empty() { Err("no choice is on the table".to_string()) } else { Ok(list) }
}

const HELP: &str = "orders: status | failover GROUP [REGION] | switchover GROUP REGION | stop [GROUP] | withdraw [GROUP]
        confirm NAME [GROUP] [--second-person WHO] [--manual-override] [--supersede ID] [RISK …]
        abort ID | rollback ID | accept ID | answer ID STEP done|again [NOTE …] | arm NAME | disarm | note TEXT | vouch GROUP [HOW …]
        inject FAULT REGION [GROUP] | mend | quit";

pub fn help() -> Lines {
    own_lines(HELP)
}

/// Carries out one line.
pub async fn speak(handle: &Arc<dyn Handle>, printed: &Printed, line: &str) -> Result<Lines, String> {
    let snapshot = handle.snapshot();
    let words: Vec<&str> = line.split_whitespace().collect();
    let rest = |n: usize| words.get(n..).unwrap_or_default().join(" ");
    let action = match words.as_slice() {
        [] => return Ok(vec![String::new()]),
        ["help" | "?"] => return Ok(help()),
        ["status"] => return Ok(super::status::status_words(&snapshot, true)),
        ["failover", group, to @ ..] => propose(&snapshot, group, Intent::Failover, to.first().copied())?,
        ["switchover" | "failback", group, to @ ..] => {
            propose(&snapshot, group, Intent::Switchover, to.first().copied())?
        }
        ["confirm", name, rest @ ..] => Action::Confirm(confirmed(&snapshot, printed, name, rest)?),
        ["stop", group @ ..] => {
            // All of them, as on the dashboard: who stops a countdown does not mean one of two.
            let counting =
                choices(&snapshot, group)?.into_iter().filter(|v| v.proposal.automatic_at.is_some());
            let mut said = Err("no countdown runs".to_string());
            for proposal in counting.map(|v| v.proposal.id) {
                said = carried_out(handle, Action::StopAutomatic { proposal }).await;
            }
            return said;
        }
        ["withdraw", group @ ..] => match choices(&snapshot, group)?.as_slice() {
            [one] => Action::Withdraw { proposal: one.proposal.id },
            _ => return Err("more than one choice is on the table: withdraw GROUP".to_string()),
        },
        ["abort", id] => Action::Abort { operation: id.parse()? },
        ["rollback", id] => Action::Rollback { operation: id.parse()? },
        ["accept", id] => Action::AcceptUnprotected { operation: id.parse()? },
        ["answer", id, step, answer, ..] => {
            let operation = id.parse()?;
            let step = step_named(&snapshot, operation, step)?;
            Action::Answer { operation, step, done: *answer == "done", note: rest(4) }
        }
        ["arm", name] => Action::Arm { typed: name.to_string() },
        ["disarm"] => Action::Disarm,
        ["vouch", group, ..] => Action::Vouch { group: group_named(&snapshot.estate, group)?, note: rest(2) },
        ["note", ..] => Action::Note { text: rest(1), by_hand: true },
        ["inject", ..] => return control(handle, Control::Inject { fault: rest(1) }).await,
        ["mend"] => return control(handle, Control::Mend).await,
        ["pause"] => return control(handle, Control::Pause(true)).await,
        ["go"] => return control(handle, Control::Pause(false)).await,
        ["speed", times] => {
            return control(
                handle,
                Control::Speed(times.parse().map_err(|_| "write a number from 1 to 1000")?),
            )
            .await;
        }
        [other, ..] => return Err(format!("`{other}` is not an order; `help` lists them")),
    };
    carried_out(handle, action).await
}

async fn carried_out(handle: &Arc<dyn Handle>, action: Action) -> Result<Lines, String> {
    let line = match handle.order(action).await {
        Ok(Receipt::Proposed(_)) => {
            Ok("it is on the table; read it, then: confirm NAME-OF-THE-REGION".to_string())
        }
        Ok(Receipt::Started(id)) => Ok(format!("{id} begins")),
        Ok(Receipt::Done) => Ok("done".to_string()),
        Err(refusal) => Err(format!("refused: {}", refusal_words(&refusal))),
    };
    line.map(|line| vec![line])
}

async fn control(handle: &Arc<dyn Handle>, control: Control) -> Result<Lines, String> {
    handle
        .control(control)
        .await
        .map(|_| vec!["done".to_string()])
        .map_err(|r| format!("refused: {}", refusal_words(&r)))
}

fn propose(snapshot: &Snapshot, group: &str, intent: Intent, to: Option<&str>) -> Result<Action, String> {
    let group = group_named(&snapshot.estate, group)?;
    let to = to.map(|name| member_named(snapshot, group, name)).transpose()?;
    Ok(Action::Propose { group, intent, from: None, to, reason: ORDERED.to_string() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::controller::Simulation;
    use crate::journal::Journal;

    fn at(seconds: u64) -> Snapshot {
        let scenario = crate::config::embedded("region_outage").unwrap_or_else(|e| panic!("{e}"));
        let mut simulation =
            Simulation::new(scenario, 1, Journal::in_memory(), Mode::Simulation, Utc(1_767_225_600_000))
                .unwrap_or_else(|e| panic!("{e}"));
        simulation.run_to(Mono(seconds * 1000)).unwrap_or_else(|e| panic!("{e}"));
        simulation.snapshot(1, false)
    }

    /// What is confirmed is what was printed: what was not is not, and what has changed is printed anew.
    #[test]
    fn a_confirmation_is_of_what_was_printed() {
        let mut snapshot = at(30);
        let mut printed = Printed::default();
        let one = ["orders-db"];
        assert!(confirmed(&snapshot, &printed, "us-east-1", &one).is_err_and(|e| e.contains("not printed")));
        assert_eq!(printed.news(&snapshot).len(), 2);
        assert!(printed.news(&snapshot).is_empty(), "nothing has changed");
        // Two choices leave it: which one is said. A word that is neither a database nor a risk is not passed over.
        assert!(
            confirmed(&snapshot, &printed, "us-east-1", &[])
                .is_err_and(|e| e.contains("orders-db, payments-db"))
        );
        assert!(
            confirmed(&snapshot, &printed, "us-east-1", &["orders-db", "soon"])
                .is_err_and(|e| e.contains("no risk is asked for"))
        );
        snapshot.proposals[1].assessment.risks = vec![Risk::TwoMayWrite];
        let second = confirmed(
            &snapshot,
            &printed,
            "us-east-1",
            &["payments-db", "--second-person", "kim", "lose", "it"],
        );
        let second = second.unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(
            (second.proposal, second.second_person.as_deref()),
            (snapshot.proposals[1].proposal.id, Some("kim"))
        );
        assert_eq!(second.accept_risk.as_deref(), Some("lose it"));
        assert!(confirmed(&snapshot, &printed, "eu-west-1", &[]).is_err(), "nothing leaves it");

        let shown = snapshot.proposals[0].assessment.evidence;
        snapshot.proposals[0].assessment.evidence = Digest::of(b"other facts");
        let bound = confirmed(&snapshot, &printed, "us-east-1", &one).unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(bound.evidence, shown, "bound to what was read, so that the gate finds it void");
        assert!(printed.news(&snapshot).iter().all(|lines| lines[0].starts_with("CHANGED")));
    }
}
