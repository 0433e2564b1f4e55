//! Pages of the program file that only its start needed (arguments, YAML, themes) are given back once the screen stands:
//! what is touched again comes back from the file. On a jump host many sessions run side by side.

/// Gives them back. Where that cannot be done nothing happens.
#[cfg(target_os = "linux")]
pub fn start_up() {
    let Ok(program) = std::fs::read_link("/proc/self/exe") else { return };
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap_or_default();
    for line in maps.lines() {
        // `from-to rights offset device inode path`: only code, which nobody writes to.
        let mut words = line.splitn(6, ' ');
        let (Some(range), Some("r-xp")) = (words.next(), words.next()) else { continue };
        if words.last().is_none_or(|path| std::path::Path::new(path.trim()) != program) {
            continue;
        }
        let ends = range.split_once('-').map(|(a, b)| (usize::from_str_radix(a, 16), usize::from_str_radix(b, 16)));
        if let Some((Ok(from), Ok(to))) = ends {
            // SAFETY: a whole mapping of our own file, private and never written: its pages are read again when needed.
            unsafe { libc::madvise(from as *mut libc::c_void, to.saturating_sub(from), libc::MADV_DONTNEED) };
        }
    }
}

#[cfg(not(target_os = "linux"))]
pub fn start_up() {}
