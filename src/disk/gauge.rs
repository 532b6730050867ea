//! How much room the file system has, as the system says.

use std::ffi::CString;
use std::io;
use std::mem::MaybeUninit;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// Says how many bytes this user may still write beside a file. An error means that the file is there no more.
pub trait Gauge: Send + Sync {
    fn free(&self, file: &Path) -> io::Result<u64>;
}

/// The real disk.
pub struct SystemGauge;

impl Gauge for SystemGauge {
    fn free(&self, file: &Path) -> io::Result<u64> {
        let path = CString::new(file.as_os_str().as_bytes()).map_err(io::Error::other)?;
        let mut stat = MaybeUninit::<libc::statvfs>::uninit();
        // SAFETY: the path ends with a zero byte and outlives the call; the struct is read only where the call has filled it.
        let stat = unsafe {
            if libc::statvfs(path.as_ptr(), stat.as_mut_ptr()) != 0 {
                return Err(io::Error::last_os_error());
            }
            stat.assume_init()
        };
        // What is kept for root is not ours: https://man7.org/linux/man-pages/man3/statvfs.3.html
        #[allow(clippy::unnecessary_cast)] // the fields are narrower on some systems
        Ok((stat.f_bavail as u64).saturating_mul(stat.f_frsize as u64))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_real_disk_answers() {
        assert!(SystemGauge.free(&std::env::temp_dir()).expect("a figure") > 0);
        let missing = SystemGauge.free(Path::new("/no/such/folder")).expect_err("refused");
        assert_eq!(missing.kind(), io::ErrorKind::NotFound);
    }
}
