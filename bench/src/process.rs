//! What the kernel says of a process: time on the cores, memory.

use std::fs;

/// Clock ticks a second: fixed for programs on Linux, whatever the kernel's own.
const TICKS: f64 = 100.0;

/// Seconds on the cores, of all threads. `who` is a number or `self`.
pub fn cpu_s(who: impl std::fmt::Display) -> f64 {
    let text = fs::read_to_string(format!("/proc/{who}/stat")).unwrap_or_default();
    // The name in brackets may hold spaces; after it, utime and stime are the 12th and 13th fields.
    let fields: Vec<&str> = text.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |place: usize| fields.get(place).and_then(|f| f.parse::<f64>().ok()).unwrap_or(0.0);
    (ticks(11) + ticks(12)) / TICKS
}

/// Kilobytes handed to the kernel for writing, to files and connections alike.
pub fn written_kb(pid: u32) -> f64 {
    let text = fs::read_to_string(format!("/proc/{pid}/io")).unwrap_or_default();
    let bytes = text.lines().find_map(|l| l.strip_prefix("wchar: ")?.parse::<f64>().ok());
    bytes.unwrap_or(0.0) / 1e3
}

/// Megabytes of memory, shared pages by their share.
pub fn pss_mb(pid: u32) -> Option<f64> {
    let text = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).ok()?;
    let line = text.lines().find(|l| l.starts_with("Pss:"))?;
    line.split_whitespace().nth(1)?.parse::<f64>().ok().map(|kb| kb * 1_024.0 / 1e6)
}

#[cfg(test)]
mod tests {
    #[test]
    fn this_process_has_memory() {
        assert!(super::pss_mb(std::process::id()).is_some_and(|mb| mb > 0.1));
        assert!(super::cpu_s("self") >= 0.0);
    }
}
