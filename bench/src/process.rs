//! What the kernel says of a process: time on the cores, memory.

use std::fs;

/// Clock ticks a second: fixed for programs on Linux, whatever the kernel's own.
const TICKS: f64 = 100.0;

/// The machine in a line, and how busy it was: figures of a busy one say little.
pub fn machine() -> String {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let cpus = read("/proc/cpuinfo");
    let model = cpus.lines().find_map(|l| l.strip_prefix("model name")?.split_once(':')).map_or("unknown processor", |(_, m)| m.trim());
    let memory = read("/proc/meminfo");
    let kb: f64 = memory.split_whitespace().nth(1).and_then(|n| n.parse().ok()).unwrap_or(0.0);
    let load = read("/proc/loadavg");
    format!(
        "{} cores of {model}, {:.0} GB, Linux {}; load before the run {}",
        std::thread::available_parallelism().map_or(0, usize::from),
        kb / 1e6,
        read("/proc/sys/kernel/osrelease").trim(),
        load.split(' ').next().unwrap_or_default()
    )
}

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
