//! What is said in types is read as it was written, and what earlier records have in words is read as words.

use bpci::model::*;
use serde::Serialize;
use serde::de::DeserializeOwned;

fn read<T: DeserializeOwned>(text: &str) -> T {
    serde_json::from_str(text).unwrap_or_else(|e| panic!("{text}: {e}"))
}

fn again<T: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug>(value: &T) {
    let written = serde_json::to_string(value).unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(&read::<T>(&written), value, "{written}");
}

/// Where earlier records and tapes have words, these are read as words.
#[test]
fn words_of_earlier_records_are_read() {
    let words = || "proven 3s ago, 1s".to_string();
    let check: Check = read(r#"{"id": "fence", "verdict": "Pass", "text": "proven 3s ago, 1s", "at": null}"#);
    assert_eq!(check.finding, Finding::Words(words()));
    let point: Point = read(r#"{"name": "fence", "state": "holds", "text": "proven 3s ago, 1s"}"#);
    assert_eq!(point.finding, PointFinding::Words(words()));
    let veto: Veto = read(r#"{"ObserversDisagree": {"votes": "proven 3s ago, 1s"}}"#);
    assert_eq!(veto, Veto::ObserversDisagree { votes: Tally::Words(words()) });
    assert_eq!(read::<Outlook>(r#"{"None": "proven 3s ago, 1s"}"#), Outlook::None(NoFigures::Words(words())));
    assert_eq!(read::<WhyNot>(r#""proven 3s ago, 1s""#), WhyNot::Words(words()));
}

/// What is written is read as it was, words beside types.
#[test]
fn what_is_written_is_read_as_it_was() {
    let member = || Name::from("us-east-1");
    let tally =
        || Tally::Counted { gone: vec![Observer::OurProbes, Observer::Member(member())], of: 3, absent: 1 };
    let told = SignOfLife::Told {
        observer: Observer::Balancer { address: "10.0.0.1:9999".to_string() },
        says: Says::Check("L7OK".into()),
    };
    let claimant = || Claimant {
        operation: Some("recovery-7".to_string()),
        holder: Holder::Older("jump-b:4242".to_string()),
    };
    let heard = Some(LastHeard { member: member(), ago: Span::secs(3), position: Lsn(9) });
    for finding in [
        Finding::SecondFactor,
        Finding::Runs { operation: OperationId(7) },
        Finding::Words("as it was told".to_string()),
        ClusterFinding::IdentityChanged.into(),
        StoreFinding::None.into(),
        StoreFinding::NotRead {
            within: Span::secs(1),
            why: Some(StoreSilence::Failed("refused".to_string())),
        }
        .into(),
        ClaimFinding::OlderRuns { by: claimant(), left: Span::secs(9), ahead: true }.into(),
        PrimaryFinding::Alive { member: member(), sign: told, instead: Instead::SwitchOver }.into(),
        PrimaryFinding::Gone { tally: tally() }.into(),
        CandidateFinding::NoFailover { member: member() }.into(),
        WritesFinding::HoldsAll { member: member(), received: Some(Lsn(8)), heard }.into(),
        FenceFinding::None { member: member(), overwrites: Some(Version(3, 0, 2)) }.into(),
        EntryFinding::NoneAnswers {
            balancers: vec![EntryPlace { address: "10.0.0.1:9999".to_string(), region: None }],
        }
        .into(),
        LoadFinding::OfRegion {
            region: member(),
            before: 10,
            after: 110,
            from: member(),
            strain: Strain::Slow,
        }
        .into(),
    ] {
        again(&finding);
        again(&PointFinding::Check(finding));
    }
    for finding in [
        PointFinding::NoFence,
        PointFinding::NoFigures(NoFigures::Otherwise(Otherwise::Elects)),
        PointFinding::NotServed { why: Some(WhyNot::Otherwise(Otherwise::Unknown)) },
        PointFinding::Words("as it was told".to_string()),
    ] {
        again(&finding);
    }
    again(&Veto::ObserversDisagree { votes: tally() });
    again(&Outlook::None(NoFigures::NoCandidate));
}

/// A reason keeps the whole check, vote, claim or missing proof that it rests on.
#[test]
fn what_a_reason_rests_on_is_read_as_it_was_written() {
    let member = || Name::from("us-east-1");
    let claimant = || Claimant { operation: Some("recovery-7".to_string()), holder: Holder::Unknown };
    let tally = || Tally::Counted { gone: vec![Observer::OurProbes], of: 3, absent: 0 };
    again(&RegionReason::Silent { votes: None });
    again(&RegionReason::Silent { votes: Some(tally()) });
    again(&RegionReason::OnlyOurs { alive: Some(SignOfLife::LockRenewed { ago: Span::secs(2) }) });
    again(&DisasterEvidence::Votes { votes: tally() });
    let lost = || Box::new(ClaimLost::ClaimedSince { by: claimant(), generation: Generation(9) });
    let missing = || Box::new(NoProof::Check(ClusterFinding::IdentityChanged.into()));
    for failure in [
        StepFailure::ClaimLost(lost()),
        StepFailure::Unproven(missing()),
        StepFailure::Waited { waited: Span::secs(9), wait: WaitReason::Claim(ClaimWait::Renewal) },
        StepFailure::Waited {
            waited: Span::secs(9),
            wait: WaitReason::Proof(Box::new(NoProof::StillHeard { member: member(), by: member() })),
        },
    ] {
        again(&WhyNot::StepFailed { step: "hand-over".to_string(), failure: failure.clone() });
        again(&failure);
    }
    again(&OperationFailure::NotUndone(NotUndone::ClaimLost(lost())));
    again(&WhyNot::Words("as it was told".to_string()));
}
