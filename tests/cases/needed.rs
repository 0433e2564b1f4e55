//! What a recovery needs besides the estate, and what is lost of it with a region or a provider.

use bpci::config;
use bpci::model::*;

const FILE: &str = "name: shop
business_continuity:
  regions:
    a: { region_id: here, capacity_percentage: 100, failover_priority: 1, provider: aws }
    b: { region_id: there, capacity_percentage: 100, failover_priority: 2, provider: gcp }
needs:
  sso: { region: here, provider: okta, probe: 'https://sso.example/healthz', break_glass: { who: ada, exercised: 2026-09-01 } }
  vpn: { region: [here, there], probe: '[::1]:1194' }
  secrets: { region: there, provider: gcp, break_glass: { who: eve } }
  paging: {}
  chat: { region: mars, provider: aws }
";

#[test]
fn needs_are_lost_with_their_region_or_provider() {
    let loaded = config::parse("shop.yaml", FILE).unwrap_or_else(|e| panic!("{e}"));
    let estate = loaded.estate;
    let loss = |of: &dyn Fn(&Need) -> NeedLoss| {
        let named = |wanted: NeedLoss| {
            estate
                .needs
                .iter()
                .filter(|n| of(n) == wanted)
                .map(|n| n.name.as_str())
                .collect::<Vec<_>>()
                .join(" ")
        };
        (named(NeedLoss::Lost), named(NeedLoss::Unknown))
    };
    assert_eq!(loss(&|n| n.lost_with_region("here")), ("sso".to_string(), "paging".to_string()));
    assert_eq!(loss(&|n| n.lost_with_region("there")), ("secrets".to_string(), "paging".to_string()));
    // With a provider go its regions, and what runs in nothing else.
    assert_eq!(
        loss(&|n| n.lost_with_provider("aws", &estate)),
        ("chat sso".to_string(), "paging vpn".to_string())
    );
    assert_eq!(
        loss(&|n| n.lost_with_provider("gcp", &estate)),
        ("secrets".to_string(), "paging vpn".to_string())
    );
    assert_eq!(estate.providers(), ["aws", "gcp", "okta"]);
    let probe = |name: &str| estate.needs.iter().find(|n| n.name == name).and_then(|n| n.probe.clone());
    assert!(
        matches!(probe("sso"), Some(Health::Http { expect: None, .. }))
            && matches!(probe("vpn"), Some(Health::Tcp { .. }))
    );
    let warned: Vec<String> = loaded.warnings.iter().map(|w| w.text.clone()).collect();
    for expected in [
        "the need paging has no `region`",
        "vpn has no `provider`",
        "runs in mars",
        "break-glass login of secrets was never exercised",
    ] {
        assert!(warned.iter().any(|w| w.contains(expected)), "{expected} is missing: {warned:?}");
    }
    // The login of sso was exercised on 1 September 2026; a quarter later it is due.
    assert_eq!(loaded.dated.len(), 1);
    assert_eq!(loaded.dated[0].from.to_string(), "2026-12-02T00:00:00.000Z");
}

#[test]
fn a_wrong_need_is_told_with_its_place() {
    let wrong =
        FILE.replace("'[::1]:1194'", "'::1:1194'").replace("exercised: 2026-09-01", "exercised: soon");
    let told = match config::parse("shop.yaml", &wrong) {
        Ok(_) => panic!("it was accepted"),
        Err(all) => all.to_string(),
    };
    assert!(told.contains("shop.yaml:7:") && told.contains("`soon` is not a date"), "{told}");
    assert!(told.contains("shop.yaml:8:") && told.contains("`::1:1194` is no host and port"), "{told}");
}
