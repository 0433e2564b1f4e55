//! Memory that is not needed now goes back to the system: on a jump host many sessions run side by side.

/// Gives back what is free on the heap, and the pages of program and libraries, which come back from their files when they
/// are touched again. After what happens seldom: a start, a look at how ready everything is. Where it cannot be done
/// nothing happens.
pub fn give_back() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: it only gives back what is free.
    unsafe {
        libc::malloc_trim(0);
    }
    #[cfg(target_os = "linux")]
    drop_pages();
}

#[cfg(target_os = "linux")]
fn drop_pages() {
    let text = std::fs::read_to_string("/proc/self/smaps").unwrap_or_default();
    for (from, length) in never_written(&text) {
        // SAFETY: a whole mapping of a file that nobody may write to and nobody has written to: its pages are read again.
        unsafe { libc::madvise(from as *mut libc::c_void, length, libc::MADV_DONTNEED) };
    }
}

/// Where mappings of files begin, and how long they are: those that are read or run only, and hold nothing of their own.
/// (What the loader wrote into one before it was closed would be lost.)
#[cfg(target_os = "linux")]
fn never_written(smaps: &str) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    let mut mapping = None;
    for line in smaps.lines() {
        let mut words = line.split_ascii_whitespace();
        match (words.next(), words.next()) {
            (Some("Anonymous:"), Some("0")) => found.extend(mapping.take()),
            (Some("Anonymous:"), _) => mapping = None,
            (Some(range), Some(rights)) if !range.ends_with(':') => {
                // `from-to rights offset device inode path`
                let ends = range
                    .split_once('-')
                    .map(|(a, b)| (usize::from_str_radix(a, 16), usize::from_str_radix(b, 16)));
                let of_a_file = words.nth(3).is_some_and(|path| path.starts_with('/'));
                mapping = match ends {
                    Some((Ok(from), Ok(to)))
                        if of_a_file && matches!(rights, "r--p" | "r-xp") && to > from =>
                    {
                        Some((from, to - from))
                    }
                    _ => None,
                };
            }
            _ => {}
        }
    }
    found
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    const SMAPS: &str = "\
1000-3000 r--p 00000000 fe:00 1 /bin/x
Rss: 8 kB
Anonymous:             0 kB
3000-5000 r-xp 00002000 fe:00 1 /bin/x
Anonymous:             0 kB
5000-6000 r--p 00004000 fe:00 1 /bin/x
Anonymous:             4 kB
6000-7000 rw-p 00005000 fe:00 1 /bin/x
Anonymous:             0 kB
7000-8000 r--p 00000000 00:00 0
Anonymous:             0 kB
8000-9000 r-xp 00000000 00:00 0 [vdso]
Anonymous:             0 kB
";

    #[test]
    fn what_was_written_to_is_kept() {
        assert_eq!(never_written(SMAPS), [(0x1000, 0x2000), (0x3000, 0x2000)]);
    }

    #[test]
    fn the_program_goes_on_after_it() {
        let kept = vec![7_u8; 1 << 20];
        give_back();
        assert!(kept.iter().all(|b| *b == 7) && format!("{:?}", std::time::SystemTime::now()).len() > 3);
    }
}
