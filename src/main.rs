fn main() {
    let name = std::env::args().nth(1).unwrap();
    let seed = std::env::args().nth(2).and_then(|s| s.parse().ok()).unwrap_or(1);
    let s = bpci::config::embedded(&name).unwrap();
    let p = bpci::controller::play(s, seed, bpci::journal::Journal::in_memory(), &mut |s| { let n=s.now(); if n.mono.0>27900 && n.mono.0<33000 { let v=s.snapshot(1,false); println!("{} {:?}", n.mono.0, v.groups.iter().map(|g| g.veto.clone()).collect::<Vec<_>>());} }).unwrap();
    let snap = p.simulation.snapshot(1, false);
    for l in snap.log.iter() { println!("{} {:?} {} | {}", l.at, l.weight, l.subject, l.text); }
    for g in &snap.groups { println!("{:?}", g.veto); }
    for pr in &snap.proposals { println!("{:#?}", pr.assessment); }
    println!("{:?} {:?} {:?}", p.unmet, p.laws_broken, p.simulation.core.door.truth);
}
