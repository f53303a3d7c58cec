/// How many bytes the caches may hold. One value for the whole program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemoryBudget {
    /// Decoded image tiles in main memory, in bytes.
    pub tile_cache_bytes: usize,
    /// Image and mask tiles on the graphics card, in bytes.
    pub gpu_tile_bytes: usize,
    /// Undo steps in main memory, in bytes.
    pub history_bytes: usize,
}

impl Default for MemoryBudget {
    fn default() -> Self {
        const MIB: usize = 1 << 20;
        Self {
            tile_cache_bytes: 256 * MIB,
            gpu_tile_bytes: 128 * MIB,
            history_bytes: 256 * MIB,
        }
    }
}
