//! Where the numbers of a training on the processor lie between two steps.
//!
//! A step takes and gives back tensors of many megabytes. The C library of most Linux systems
//! (glibc) hands such pieces to the system at once and asks for them anew, and the system clears
//! each page: a sixth of a step. Other systems' allocators are left alone.

/// Makes all threads share the program's first heap, the only one that large pieces can come from
/// without asking the system. For the start of `main`: threads that have a heap keep it.
pub fn share_one_heap() {
    glibc::set(glibc::HEAPS, 1);
}

/// As long as there is one, memory that was given back is kept for the next step.
#[derive(Debug)]
pub struct KeptMemory(());

impl KeptMemory {
    /// Begins to keep it. For one training at a time.
    pub fn begin() -> Self {
        glibc::set(glibc::LARGEST_PIECE, 1 << 30);
        glibc::set(glibc::MOST_UNUSED, -1);
        Self(())
    }
}

impl Drop for KeptMemory {
    fn drop(&mut self) {
        glibc::set(glibc::LARGEST_PIECE, 1 << 20);
        glibc::set(glibc::MOST_UNUSED, 1 << 21);
        glibc::give_back();
    }
}

#[cfg(all(target_os = "linux", target_env = "gnu"))]
mod glibc {
    #![expect(unsafe_code, reason = "the C library has no other door")]

    pub const HEAPS: i32 = libc::M_ARENA_MAX;
    pub const LARGEST_PIECE: i32 = libc::M_MMAP_THRESHOLD;
    pub const MOST_UNUSED: i32 = libc::M_TRIM_THRESHOLD;

    /// Changes how memory is handed out from now on; what it refuses stays as it was.
    pub fn set(what: i32, value: i32) {
        // SAFETY: `mallopt` takes two numbers, locks its state itself and touches no piece that
        // was handed out.
        unsafe {
            libc::mallopt(what, value);
        }
    }

    /// Gives unused memory back to the system.
    pub fn give_back() {
        // SAFETY: `malloc_trim` locks the heaps itself and touches no piece that is in use.
        unsafe {
            libc::malloc_trim(0);
        }
    }
}

#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
mod glibc {
    pub const HEAPS: i32 = 0;
    pub const LARGEST_PIECE: i32 = 0;
    pub const MOST_UNUSED: i32 = 0;

    pub const fn set(_what: i32, _value: i32) {}

    pub const fn give_back() {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_outlive_the_memory_that_is_kept_around_them() {
        let kept = KeptMemory::begin();
        let numbers = vec![1.0_f32; 1 << 20];
        drop(vec![2.0_f32; 1 << 21]);
        drop(kept);
        assert!(numbers.iter().all(|number| *number == 1.0));
    }
}
