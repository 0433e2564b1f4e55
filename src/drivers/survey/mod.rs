//! The survey of one database: asks everything that an operation would need, and changes nothing.
//!
//! Patroni gets a change request that says nothing; etcd a transaction whose comparison can never hold; PostgreSQL an insert that is
//! rolled back; the fence's files are looked at and never run.

mod commands;
mod sql;
mod store;

use super::eyes::{Eyes, Shared};
use super::kinds::RouteAt;
use crate::model::*;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// What is only read is asked again after this time; logins, transactions and inserts after the longer one.
const AGAIN: Duration = Duration::from_secs(30);
const DEEP_AGAIN: Duration = Duration::from_secs(300);
/// The first survey waits so long for the members' addresses, which the store tells.
const ADDRESSES: Duration = Duration::from_secs(3);

/// What logins, transactions and inserts brought.
struct Deep {
    members: Vec<MemberAnswers>,
    entry: Option<Result<SqlAnswers, String>>,
    asked: Instant,
    /// Who led then: when that changes, all of it is asked anew.
    roles: Vec<Option<bool>>,
}

impl Deep {
    /// What failed is asked again soon.
    fn is_well(&self) -> bool {
        let failed = |answer: &Option<Result<SqlAnswers, String>>| matches!(answer, Some(Err(_)));
        !failed(&self.entry) && !self.members.iter().any(|m| failed(&m.sql))
    }
}

/// Whether each member says that it leads; `None` where it does not answer.
async fn roles(eyes: &Eyes) -> Vec<Option<bool>> {
    let mut list = Vec::new();
    for member in &eyes.database.members {
        let (_, text) = eyes.http.get(&format!("{}/patroni", member.rest), Duration::from_secs(1)).await;
        let report = text.and_then(|t| super::patroni::parse_member(&t).ok());
        list.push(report.map(|r| r.role == MemberRole::Leader));
    }
    list
}

/// Surveys a database again and again.
pub async fn watch(shared: Arc<Shared>, group: GroupId) {
    let Some(eyes) = shared.groups.get(&group) else { return };
    let began = Instant::now();
    while eyes.addresses.get().iter().all(|m| m.sql.is_none())
        && began.elapsed() < ADDRESSES
        && !shared.gone()
    {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let mut known: Option<Deep> = None;
    while !shared.gone() {
        let at = shared.now();
        let roles = roles(eyes).await;
        let holds = |deep: &Deep| deep.asked.elapsed() < DEEP_AGAIN && deep.is_well() && deep.roles == roles;
        let kept = known.take().filter(holds);
        let deep = match kept {
            Some(deep) => deep,
            None => {
                Deep { members: members(eyes).await, entry: entry(eyes).await, asked: Instant::now(), roles }
            }
        };
        let answers = SurveyAnswers {
            store: store::ask(eyes).await,
            members: deep.members.clone(),
            entry: deep.entry.clone(),
            balancers: balancers(&shared, eyes).await,
            fence: commands::look(&eyes.database),
        };
        known = Some(deep);
        shared.tell(at, Fact::Survey { group, answers: Box::new(answers) }).await;
        tokio::time::sleep(AGAIN).await;
    }
}

/// Commits one validating row through each database's entry point, or on its configured address. By database: what came of it.
pub async fn write_row(estate: &Estate) -> Vec<(String, Result<String, String>)> {
    let mut list = Vec::new();
    for group in &estate.groups {
        let Some(database) = &group.database else { continue };
        let result = match (super::postgres::Sql::new(database), &database.entry) {
            (Ok(Some(sql)), Some(entry)) => sql::write(&sql, entry).await,
            (Err(e), _) => Err(e),
            (Ok(None), _) => Err("no PostgreSQL login is configured".to_string()),
            (_, None) => Err("no entry point is configured".to_string()),
        };
        list.push((group.name.clone(), result));
    }
    list
}

async fn members(eyes: &Eyes) -> Vec<MemberAnswers> {
    let mut list = Vec::new();
    for member in eyes.database.member_ids() {
        list.push(member_answers(eyes, member).await);
    }
    list
}

async fn member_answers(eyes: &Eyes, member: MemberId) -> MemberAnswers {
    let mut answers = MemberAnswers::default();
    let Some(spec) = eyes.database.member(member) else { return answers };
    let asked = now_ms();
    if let Ok(reply) = eyes.http.patch_nothing(&format!("{}/config", spec.rest)).await {
        answers.rest = Some(match reply.status {
            // Patroni reads the body after the login: an empty change is a bad request, or none.
            200..=299 | 400 => RestTry::Accepted,
            401 | 403 => RestTry::Refused(reply.status),
            other => RestTry::Other(other),
        });
        answers.clock_ahead_ms = reply.date_ms.map(|date| date - asked);
    }
    let (_, text) = eyes.http.get(&format!("{}/config", spec.rest), Duration::from_secs(1)).await;
    answers.settings = text.and_then(|t| super::patroni::settings(&t));
    let (_, text) = eyes.http.get(&format!("{}/patroni", spec.rest), Duration::from_secs(1)).await;
    let text = text.unwrap_or_default();
    answers.led = super::patroni::parse_member(&text).ok().map(|r| r.role == MemberRole::Leader);
    answers.notes = super::patroni::notes(&text, now_ms() / 1_000);
    if let (Some(sql), Some(address)) = (&eyes.sql, eyes.addresses.sql(member)) {
        answers.sql = Some(sql::ask(sql, &address).await);
    }
    answers
}

async fn entry(eyes: &Eyes) -> Option<Result<SqlAnswers, String>> {
    let (sql, entry) = (eyes.sql.as_ref()?, eyes.database.entry.as_ref()?);
    Some(sql::ask(sql, entry).await)
}

async fn balancers(shared: &Shared, eyes: &Eyes) -> Vec<Result<BalancerAnswers, String>> {
    let mut list = Vec::new();
    for route in &eyes.database.balancers {
        list.push(RouteAt { shared, eyes, route }.survey().await);
    }
    list
}

fn now_ms() -> i64 {
    chrono::Utc::now().timestamp_millis()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::drivers::kinds::haproxy::{is_admin, is_drained, is_unchecked, server_answers, sessions};
    use crate::drivers::patroni::{notes, settings};

    /// As HAProxy 2.6 said it, with the columns that are read.
    const STAT: &str = "# pxname,svname,scur,slim,status,weight,act,bck,check_status,check_duration,addr,\n\
        primary,FRONTEND,7,2000,OPEN,,,,,,,\n\
        primary,pg-1,7,100,UP,1,1,0,L7OK,3,10.0.0.1:5432,\n\
        primary,pg-2,0,,DOWN 1/2,0,1,0,L7STS,900,10.0.0.2:5432,\n\
        primary,pg-3,0,,MAINT (resolution),1,0,1,,,10.0.0.3:5432,\n\
        primary,pg-4,0,,no check,1,1,0,,,10.0.0.4:5432,\n\
        primary,pg-5,0,,* UP,1,1,0,* L4CON,2,10.0.0.5:5432,\n\
        primary,BACKEND,7,200,UP,1,1,0,,,,\n\
        stats,FRONTEND,1,2,OPEN,,,,,,,\n";

    #[test]
    fn the_lines_of_a_backend_are_read() {
        let servers = server_answers(STAT, "primary").unwrap_or_else(|e| panic!("{e}"));
        let of = |i: usize| &servers[i];
        assert_eq!(servers.len(), 5);
        assert_eq!(
            (of(0).up, of(0).weight, of(0).limit, of(0).check_took),
            (true, 1, Some(100), Some(Span::ms(3)))
        );
        assert_eq!((of(1).up, of(1).weight, of(1).state, of(1).limit), (false, 0, ServerState::Ready, None));
        assert_eq!(
            (of(2).state, of(2).backup, of(2).check),
            (ServerState::Unresolved, true, CheckLayer::None)
        );
        assert_eq!((of(3).up, of(3).check), (true, CheckLayer::None));
        assert!(of(4).unreachable && !of(0).unreachable);
        assert!(
            server_answers(STAT, "nobody").is_err() && server_answers("Unknown command", "primary").is_err()
        );
    }

    #[test]
    fn the_fullest_frontend_counts() {
        assert_eq!(sessions(STAT), Some((1, 2)));
        assert_eq!(sessions("Unknown command"), None);
    }

    #[test]
    fn checks_that_were_switched_off_are_seen() {
        let states = "1\n# be_id be_name srv_id srv_name srv_addr srv_op_state srv_check_state\n\
            3 primary 1 pg-1 10.0.0.1 2 6\n3 primary 2 pg-2 10.0.0.2 0 2\n3 primary 3 pg-3 10.0.0.3 2 0\n3 primary 4 pg-4 10.0.0.4 2 14\n";
        let off: Vec<bool> =
            ["pg-1", "pg-2", "pg-3", "pg-4", "pg-9"].iter().map(|s| is_unchecked(states, s)).collect();
        assert_eq!(off, [false, true, false, true, false]);
        assert!(!is_unchecked("Permission denied\n", "pg-1"));
    }

    /// As HAProxy 2.6 said it of three servers of which the second was drained by hand: `show stat` called it DOWN.
    #[test]
    fn a_server_that_is_down_and_drained_is_seen_to_be_drained() {
        let states = "1\n# be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_uweight\n\
            2 primary 1 us-east-1 127.0.0.11 2 0 1\n2 primary 2 eu-west-1 127.0.0.12 0 8 1\n2 primary 3 ap-southeast-1 127.0.0.13 0 1 1\n";
        let drained: Vec<bool> = ["us-east-1", "eu-west-1", "ap-southeast-1", "nobody"]
            .iter()
            .map(|s| is_drained(states, s))
            .collect();
        assert_eq!(drained, [false, true, false, false]);
        assert!(!is_drained("", "us-east-1") && !is_drained("Permission denied\n", "us-east-1"));
    }

    #[test]
    fn the_level_of_the_runtime_api_is_read() {
        assert_eq!(
            [is_admin("admin\n\n"), is_admin("operator\n"), is_admin("Unknown command")],
            [Some(true), Some(false), None]
        );
    }

    #[test]
    fn settings_that_are_not_set_have_patronis_defaults() {
        let default = settings("{}").unwrap_or_else(|| panic!("no settings"));
        assert_eq!(
            (default.ttl, default.loop_wait, default.retry_timeout),
            (Span::secs(30), Span::secs(10), Span::secs(10))
        );
        assert_eq!(
            (default.primary_start_timeout, default.use_slots, default.maximum_lag),
            (Span::secs(300), true, Bytes(1_048_576))
        );
        let set = settings(
            r#"{"ttl": 20, "master_start_timeout": 0, "postgresql": {"use_slots": false, "pre_promote": "/bin/x"}}"#,
        );
        let set = set.unwrap_or_else(|| panic!("no settings"));
        assert_eq!(
            (set.ttl, set.primary_start_timeout, set.use_slots, set.pre_promote),
            (Span::secs(20), Span::ZERO, false, true)
        );
        assert_eq!(settings("<html>"), None);
    }

    #[test]
    fn what_a_member_says_beside_its_report() {
        let text = r#"{"state": "running", "dcs_last_seen": 1000, "tags": {"replicatefrom": "pg-3"}, "watchdog_failed": true, "pending_restart": true}"#;
        let told = notes(text, 1_090).unwrap_or_else(|| panic!("nothing"));
        assert_eq!(told.store_seen_ago, Some(Span::secs(90)));
        assert!(told.replicates_from.is_some() && told.watchdog_failed && told.pending_restart);
        assert_eq!(notes(r#"{"state": "running"}"#, 5), Some(MemberNotes::default()));
        // A clock that is ahead of ours has seen it just now.
        assert_eq!(notes(text, 900).and_then(|n| n.store_seen_ago), Some(Span::ZERO));
    }
}
