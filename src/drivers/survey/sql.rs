//! PostgreSQL after our login: what a validating write and the return of a member rest on. The insert is rolled back.

use super::super::postgres::{INSERT, Sql, words};
use super::now_ms;
use crate::model::*;
use std::time::{Duration, Instant};
use tokio_postgres::Client;

/// All of one server's answers come within this time.
const PATIENCE: Duration = Duration::from_secs(4);

/// # Errors
/// The login is refused, or no answer came in time.
pub async fn ask(sql: &Sql, address: &str) -> Result<SqlAnswers, String> {
    let client = sql.connect(address).await?;
    tokio::time::timeout(PATIENCE, all(&client))
        .await
        .map_err(|_| format!("no answer within {} s", PATIENCE.as_secs()))?
}

/// Commits the row of a validating write.
///
/// # Errors
/// Why it could not be.
pub async fn write(sql: &Sql, address: &str) -> Result<String, String> {
    let client = sql.connect(address).await?;
    let wrote = client.execute(INSERT, &[&"survey"]);
    // Without a synchronous standby a commit waits for ever.
    let wrote = tokio::time::timeout(PATIENCE, wrote)
        .await
        .map_err(|_| format!("the commit waited longer than {} s", PATIENCE.as_secs()))?;
    wrote.map_err(|e| words(&e))?;
    Ok(format!("one row committed through {address}"))
}

async fn all(client: &Client) -> Result<SqlAnswers, String> {
    const QUERY: &str = "SELECT host(inet_server_addr()) || ':' || inet_server_port(), pg_is_in_recovery(), \
        current_setting('server_version_num')::int4, current_setting('default_transaction_read_only') = 'on', \
        pg_has_role('pg_monitor', 'USAGE'), \
        (SELECT count(*)::int4 FROM pg_stat_replication), current_setting('max_wal_senders')::int4, \
        (SELECT count(*)::int4 FROM pg_stat_activity WHERE backend_type = 'client backend'), \
        current_setting('max_connections')::int4 - current_setting('superuser_reserved_connections')::int4, \
        coalesce((SELECT setting::int8 FROM pg_settings WHERE name = 'recovery_min_apply_delay'), 0), \
        CASE WHEN pg_is_in_recovery() THEN pg_is_wal_replay_paused() ELSE false END, \
        current_setting('wal_log_hints') = 'on' OR current_setting('data_checksums') = 'on', \
        coalesce((SELECT last_failed_time > coalesce(last_archived_time, '-infinity') FROM pg_stat_archiver), false) \
            AND current_setting('archive_mode') <> 'off', \
        (extract(epoch FROM clock_timestamp()) * 1000)::float8, \
        current_setting('synchronous_commit') IN ('local', 'off')";
    let (asked, began) = (now_ms(), Instant::now());
    let row = client.query_one(QUERY, &[]).await.map_err(|e| words(&e))?;
    let took = i64::try_from(began.elapsed().as_millis()).unwrap_or(i64::MAX);
    let theirs: f64 = row.get(13);
    let mut answers = SqlAnswers {
        server: row.get(0),
        in_recovery: row.get(1),
        version: row.get(2),
        read_only: row.get(3),
        monitor: row.get(4),
        senders: (row.get(5), row.get(6)),
        connections: (row.get(7), row.get(8)),
        apply_delay: Span(u64::try_from(row.get::<_, i64>(9)).unwrap_or(0)),
        replay_paused: row.get(10),
        can_rewind: row.get(11),
        archive_fails: row.get(12),
        commits_alone: row.get(14),
        clock_ahead_ms: theirs as i64 - (asked + took / 2),
        round_trip: Span(u64::try_from(took).unwrap_or(0)),
        ..SqlAnswers::default()
    };
    // Functions that a hardened server may keep from us say nothing about the rest.
    let system = client.query_one("SELECT system_identifier::text FROM pg_control_system()", &[]).await.ok();
    answers.system_id = system.and_then(|r| r.get::<_, Option<String>>(0)).map(Name::from);
    // Which file a setting comes from is shown to pg_monitor alone.
    const AUTO: &str =
        "SELECT name FROM pg_settings WHERE sourcefile LIKE '%postgresql.auto.conf' ORDER BY name LIMIT 20";
    let auto = client.query(AUTO, &[]).await.unwrap_or_default();
    answers.overrides = auto.iter().map(|r| r.get::<_, String>(0).into()).collect();
    answers.table = table(client).await?;
    if !answers.in_recovery && answers.table.is_some() {
        answers.insert = Some(insert(client).await);
    }
    Ok(answers)
}

async fn table(client: &Client) -> Result<Option<TableAnswers>, String> {
    const QUERY: &str = "SELECT has_table_privilege(c.oid, 'SELECT'), has_table_privilege(c.oid, 'INSERT'), \
        has_table_privilege(c.oid, 'UPDATE'), c.relpersistence <> 'p', \
        (SELECT count(*) = 3 FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname IN ('id', 'effect', 'at') AND NOT a.attisdropped) \
        AND EXISTS (SELECT 1 FROM pg_index i JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = i.indkey[0] \
            WHERE i.indrelid = c.oid AND i.indisunique AND i.indnatts = 1 AND a.attname = 'id') \
        FROM pg_class c WHERE c.oid = to_regclass('bpci_validation')";
    let row = client.query_opt(QUERY, &[]).await.map_err(|e| words(&e))?;
    Ok(row.map(|r| TableAnswers {
        may_select: r.get(0),
        may_insert: r.get(1),
        may_update: r.get(2),
        unlogged: r.get(3),
        fits: r.get(4),
    }))
}

/// The insert of a validating write, in a transaction that is rolled back.
async fn insert(client: &Client) -> Result<(), String> {
    let begin = "BEGIN; SET LOCAL lock_timeout = '1s'; SET LOCAL statement_timeout = '2s'";
    client.batch_execute(begin).await.map_err(|e| words(&e))?;
    let inserted = client.execute(INSERT, &[&"survey"]).await.map_err(|e| words(&e));
    client.batch_execute("ROLLBACK").await.map_err(|e| words(&e))?;
    inserted.map(|_| ())
}
