//! An estate of any size, as its configuration.

use bpci::config;
use bpci::model::Estate;
use std::fmt::Write;

/// So many regions, databases in three of them each, led from the first, and services that need these.
pub fn estate(regions: usize, databases: usize, services: usize) -> Estate {
    let mut text = String::from("name: scale\nbusiness_continuity:\n  regions:\n");
    for r in 0..regions {
        let _ = writeln!(
            text,
            "    r{r}: {{ region_id: region-{r:02}, capacity_percentage: 100, failover_priority: {} }}",
            r + 1
        );
    }
    text.push_str(
        "  disaster_scenarios:\n    - { type: region_outage, severity: critical, automated_response: true, recovery_strategy: immediate_failover }\n",
    );
    text.push_str("disaster_recovery:\n  detection: { health_check_interval: 1s, failure_threshold: 3, automated_response_delay: 1s }\n");
    text.push_str("  recovery_strategies:\n    immediate_failover: { target_rto: 15min, target_rpo: 5min, automation_level: full }\n");
    text.push_str("automation: { settle: 1s, cooldown: 1hour, fence_proof_not_required: true, drilled: false }\nservices:\n");
    for d in 0..databases {
        let regions = [0, 1 + d % (regions / 2 - 1), regions / 2 + d % (regions / 2)];
        let _ = writeln!(
            text,
            "  db-{d:03}:\n    tier: 1\n    rto: 10min\n    rpo: 30s\n    patroni:\n      scope: db{d}\n      members:"
        );
        for r in regions {
            let _ = writeln!(text, "        region-{r:02}: http://db{d}.region-{r:02}.sim:8008");
        }
        let _ = writeln!(
            text,
            "      etcd: [\"http://etcd-1.sim:2379\"]\n    fence: {{ exec: [fence-node, \"{{member}}\"] }}"
        );
    }
    for s in 0..services - databases {
        let _ = writeln!(
            text,
            "  service-{s:04}: {{ tier: {}, depends_on: [db-{:03}] }}",
            1 + s % 3,
            s % databases
        );
    }
    match config::parse("scale.yaml", &text) {
        Ok(loaded) => loaded.estate,
        Err(e) => panic!("{e}"),
    }
}
