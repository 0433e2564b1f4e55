//! Health checks of services: HTTP or a connection.

use super::door::Shared;
use crate::model::*;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Starts the checks of every service that has one.
pub fn start(shared: &Arc<Shared>) {
    for id in shared.estate.service_ids() {
        if let Some(health) = shared.estate.service(id).health.clone() {
            tokio::spawn(watch(Arc::clone(shared), id, health));
        }
    }
}

async fn watch(shared: Arc<Shared>, service: ServiceId, health: Health) {
    let client = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(1)).build();
    let interval = shared.estate.policy.detection.interval.as_std().max(Duration::from_millis(100));
    while !shared.gone() {
        let at = shared.now();
        let began = Instant::now();
        let result = match (&health, &client) {
            (Health::Http { url, expect }, Ok(client)) => match client.get(url).send().await {
                Ok(r) if r.status().as_u16() == *expect => answered(began),
                Ok(r) => ProbeResult::Unwell(format!("HTTP {}, not {expect}", r.status().as_u16())),
                Err(e) if e.is_timeout() => ProbeResult::Silent,
                Err(_) => ProbeResult::Refused,
            },
            (Health::Tcp { address }, _) => match tokio::time::timeout(Duration::from_secs(1), tokio::net::TcpStream::connect(address)).await {
                Err(_) => ProbeResult::Silent,
                Ok(Err(_)) => ProbeResult::Refused,
                Ok(Ok(_)) => answered(began),
            },
            (Health::Http { .. }, Err(e)) => ProbeResult::Unwell(e.to_string()),
        };
        shared.tell(at, Fact::Service { service, region: None, result }).await;
        tokio::time::sleep(interval).await;
    }
}

fn answered(began: Instant) -> ProbeResult {
    ProbeResult::Answered { round_trip: Span(u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX)) }
}
