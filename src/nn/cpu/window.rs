use super::simd::MOST_LANES;

/// A convolution but its numbers: of one group, with an output for each pixel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Number of images.
    pub images: usize,
    /// Channels in and out.
    pub channels: [usize; 2],
    /// Height and width of the images.
    pub size: [usize; 2],
    /// Rows and columns of the kernel.
    pub kernel: [usize; 2],
    /// Pixels from one row or column of the kernel to the next.
    pub dilation: [usize; 2],
    /// Zeros above and below, and left and right of the images.
    pub padding: [[usize; 2]; 2],
}

impl Window {
    /// Rows and columns from the first tap of the kernel to the last.
    pub const fn reach(&self) -> [usize; 2] {
        let [rows, columns] = self.kernel;
        let [down, right] = self.dilation;
        [(rows - 1) * down, (columns - 1) * right]
    }

    /// Height and width of what comes out.
    pub const fn out_size(&self) -> [usize; 2] {
        let [down, right] = self.reach();
        let [[above, below], [before, after]] = self.padding;
        let [height, width] = self.size;
        [
            height + above + below - down,
            width + before + after - right,
        ]
    }

    /// Numbers of the kernel for each output channel.
    pub const fn num_taps(&self) -> usize {
        self.channels[0] * self.kernel[0] * self.kernel[1]
    }

    /// Whether there is an output, the zeros around the images reach no further than the kernel,
    /// and places in an image with them fit 32 bits.
    pub fn is_usual(&self) -> bool {
        let reach = self.reach();
        (0..2).all(|axis| {
            let [before, after] = self.padding[axis];
            before <= reach[axis]
                && after <= reach[axis]
                && self.size[axis] + before + after > reach[axis]
        }) && self.images > 0
            && self.channels.iter().all(|&count| count > 0)
            && self.fits()
    }

    fn fits(&self) -> bool {
        let [down, right] = self.reach();
        let [height, width] = self.size;
        // Rounding up to registers is less than a second such reach.
        let sides = [height + 2 * down, width + 2 * right + MOST_LANES];
        let most = self.channels.into_iter().max().unwrap_or_default();
        let area = sides[0].checked_mul(sides[1]);
        let all = area.and_then(|area| area.checked_mul(most));
        all.is_some_and(|all| u32::try_from(all).is_ok())
    }

    /// The same with the pixels of small images in one row, where a kernel of one tap cannot tell,
    /// so that they fill registers.
    pub const fn flat(self) -> Self {
        let [height, width] = self.size;
        let is_plain = matches!((self.kernel, self.padding), ([1, 1], [[0, 0], [0, 0]]));
        if is_plain && width < MOST_LANES && height * width <= 1024 {
            Self {
                size: [1, height * width],
                ..self
            }
        } else {
            self
        }
    }

    /// The convolution that takes the slope at the outputs, with the kernel turned by 180°, to
    /// the slope at the inputs.
    pub const fn turned(&self) -> Self {
        let [down, right] = self.reach();
        let [[above, below], [before, after]] = self.padding;
        Self {
            channels: [self.channels[1], self.channels[0]],
            size: self.out_size(),
            padding: [
                [down - above, down - below],
                [right - before, right - after],
            ],
            ..*self
        }
    }
}

/// Some rows of the outputs of a [`Window`], and how their inputs lie side by side in a buffer:
/// by channel, by row, with the zeros around.
#[derive(Clone, Copy, Debug)]
pub struct Strip {
    /// Which image.
    pub image: usize,
    /// The first row of the outputs.
    pub first: usize,
    /// Number of rows of the outputs.
    pub rows: usize,
}

impl Strip {
    /// All strips of `rows` rows, or fewer at the end of an image.
    pub fn all(window: &Window, rows: usize) -> Vec<Self> {
        let [height, _] = window.out_size();
        let of_image = |image| {
            (0..height).step_by(rows).map(move |first| Self {
                image,
                first,
                rows: rows.min(height - first),
            })
        };
        (0..window.images).flat_map(of_image).collect()
    }

    /// Copies the inputs from `x`, which has all images, to `buffer`, which has `plane` numbers a
    /// channel and what is left over, in rows of `pitch`.
    pub fn copy_inputs(
        &self,
        window: &Window,
        x: &[f32],
        [plane, pitch]: [usize; 2],
        buffer: &mut [f32],
    ) {
        let [height, width] = window.size;
        let [[above, _], [before, _]] = window.padding;
        let channels = window.channels[0];
        let area = height * width;
        let image = &x[self.image * channels * area..][..channels * area];
        let (planes, left_over) = buffer.split_at_mut(channels * plane);
        left_over.fill(0.0);
        let num_rows = self.rows + window.reach()[0];
        for (plane, from) in planes.chunks_exact_mut(plane).zip(image.chunks_exact(area)) {
            for (row, to) in plane.chunks_exact_mut(pitch).enumerate() {
                let from_row = (self.first + row).checked_sub(above);
                let Some(from_row) = from_row.filter(|&from| from < height && row < num_rows)
                else {
                    to.fill(0.0);
                    continue;
                };
                to[..before].fill(0.0);
                to[before..before + width].copy_from_slice(&from[from_row * width..][..width]);
                to[before + width..].fill(0.0);
            }
        }
    }

    /// Copies the slopes of the output channels from `first` on from `slope`, which has all
    /// images, to `buffer` of `run` numbers a channel, in rows of `pitch`; zeros between them and
    /// for channels that there are not.
    pub fn copy_slopes(
        &self,
        window: &Window,
        slope: &[f32],
        first: usize,
        [run, pitch]: [usize; 2],
        buffer: &mut [f32],
    ) {
        let [height, width] = window.out_size();
        let area = height * width;
        let [_, channels] = window.channels;
        buffer.fill(0.0);
        let planes = &slope[self.image * channels * area..][..channels * area];
        let planes = planes.chunks_exact(area).skip(first);
        for (to, from) in buffer.chunks_exact_mut(run).zip(planes) {
            let from = &from[self.first * width..][..self.rows * width];
            for (to, from) in to.chunks_mut(pitch).zip(from.chunks_exact(width)) {
                to[..width].copy_from_slice(from);
            }
        }
    }
}

/// Where the taps of the kernel lie in a strip, as seen from the output's first pixel; by input
/// channel, row and column.
pub fn tap_offsets(window: &Window, pitch: usize, plane: usize) -> Vec<u32> {
    let [rows, columns] = window.kernel;
    let [down, right] = window.dilation;
    let mut offsets = Vec::with_capacity(window.num_taps());
    for channel in 0..window.channels[0] {
        for row in 0..rows {
            for column in 0..columns {
                let at = channel * plane + row * down * pitch + column * right;
                offsets.push(at as u32);
            }
        }
    }
    offsets
}
