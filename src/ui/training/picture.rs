use std::path::PathBuf;
use std::sync::Arc;

use egui::epaint::{ClippedPrimitive, ImageDelta, Mesh, Primitive, Vertex};
use egui::{Color32, Pos2, TextureId, Theme, vec2};

use super::super::theme;
use super::chart::{Chart, Hover};
use super::curves::charts_ui;
use crate::geom::ImageSize;
use crate::job::{self, Job, JobEvent, Waker};
use crate::raster::RgbaTile;

/// Points across, and pixels a point: legible in a page of text.
const WIDTH: f32 = 1_000.0;
const SCALE: f32 = 2.0;
const MARGIN: f32 = 12.0;

/// A picture of curves that is being drawn for a file.
#[derive(Debug)]
pub struct Drawing {
    job: Job<RgbaTile>,
    to: PathBuf,
}

impl Drawing {
    /// Begins to draw charts as the window shows them; no graphics card is needed.
    pub fn begin(
        ctx: &egui::Context,
        charts: Vec<Chart>,
        title: String,
        to: PathBuf,
    ) -> Option<Self> {
        let wake = ctx.clone();
        let theme = ctx.theme();
        let job = job::spawn(
            "curves",
            Waker::new(move || wake.request_repaint()),
            move |job| Ok(job.tell(drawn(&charts, &title, theme))?),
        );
        job.ok().map(|job| Self { job, to })
    }

    /// The picture and where it goes, once it is drawn; an error when it cannot be.
    pub fn poll(&self) -> Option<Result<(Arc<RgbaTile>, PathBuf), String>> {
        match self.job.try_next()? {
            JobEvent::Said(picture) => Some(Ok((Arc::new(picture), self.to.clone()))),
            JobEvent::Failed(why) => Some(Err(why)),
            _ => None,
        }
    }
}

/// The charts on a sheet of their own.
fn drawn(charts: &[Chart], title: &str, theme: Theme) -> RgbaTile {
    let ctx = egui::Context::default();
    theme::install(&ctx);
    ctx.set_theme(theme);
    let rows = charts.chunks(2).map(|row| row[0].height + 8.0).sum::<f32>();
    let height = rows + 2.0 * MARGIN + 30.0;
    let input = || egui::RawInput {
        screen_rect: Some(egui::Rect::from_min_size(Pos2::ZERO, vec2(WIDTH, height))),
        viewports: std::iter::once((
            egui::ViewportId::ROOT,
            egui::ViewportInfo {
                native_pixels_per_point: Some(SCALE),
                ..Default::default()
            },
        ))
        .collect(),
        ..Default::default()
    };
    let mut sheet = |ui: &mut egui::Ui| {
        let frame = egui::Frame::new()
            .inner_margin(MARGIN)
            .fill(ui.visuals().panel_fill);
        egui::CentralPanel::default().frame(frame).show(ui, |ui| {
            ui.strong(title);
            charts_ui(ui, charts, &mut Hover::default());
        });
    };
    let mut canvas = Canvas::new(vec2(WIDTH, height));
    // The first frame loads the fonts.
    for _ in 0..2 {
        let mut output = ctx.run_ui(input(), &mut sheet);
        for (id, deltas) in std::mem::take(&mut output.textures_delta.set) {
            deltas
                .iter()
                .for_each(|delta| canvas.take_texture(id, delta));
        }
        canvas.pixels.fill([0.0; 4]);
        for primitive in ctx.tessellate(output.shapes, SCALE) {
            canvas.draw(&primitive);
        }
    }
    canvas.finish()
}

/// Triangles drawn without a graphics card. Colors are blended as they are coded, which is how the
/// window's own renderer does it.
struct Canvas {
    width: usize,
    height: usize,
    /// Red, green, blue and alpha from 0 to 1, alpha multiplied in.
    pixels: Vec<[f32; 4]>,
    /// The only texture: letters and plain white.
    font: Vec<Color32>,
    font_size: [usize; 2],
}

impl Canvas {
    fn new(points: egui::Vec2) -> Self {
        let (width, height) = (
            (points.x * SCALE) as usize,
            (points.y * SCALE).ceil() as usize,
        );
        Self {
            width,
            height,
            pixels: vec![[0.0; 4]; width * height],
            font: vec![Color32::WHITE],
            font_size: [1, 1],
        }
    }

    fn take_texture(&mut self, id: TextureId, delta: &ImageDelta) {
        if id != TextureId::default() {
            return;
        }
        let egui::ImageData::Color(image) = &delta.image;
        let [width, height] = image.size;
        let Some([left, top]) = delta.pos else {
            self.font.clone_from(&image.pixels);
            self.font_size = image.size;
            return;
        };
        for row in 0..height {
            let to = (top + row) * self.font_size[0] + left;
            let from = &image.pixels[row * width..(row + 1) * width];
            self.font[to..to + width].copy_from_slice(from);
        }
    }

    fn draw(&mut self, primitive: &ClippedPrimitive) {
        let Primitive::Mesh(mesh) = &primitive.primitive else {
            return;
        };
        let clip = primitive.clip_rect;
        let bounds = [clip.left(), clip.top(), clip.right(), clip.bottom()];
        let bounds = bounds.map(|edge| (edge * SCALE).round().max(0.0) as usize);
        for corners in mesh.indices.chunks_exact(3) {
            self.draw_triangle(mesh, corners, bounds);
        }
    }

    fn draw_triangle(
        &mut self,
        mesh: &Mesh,
        corners: &[u32],
        [left, top, right, bottom]: [usize; 4],
    ) {
        let [a, b, c] = [0, 1, 2].map(|corner| mesh.vertices[corners[corner] as usize]);
        let at = |vertex: &Vertex| [vertex.pos.x * SCALE, vertex.pos.y * SCALE];
        let [pa, pb, pc] = [at(&a), at(&b), at(&c)];
        let area = edge(pa, pb, pc);
        if area == 0.0 || !area.is_finite() {
            return;
        }
        let least = |axis: usize| pa[axis].min(pb[axis]).min(pc[axis]).floor().max(0.0) as usize;
        let most = |axis: usize| pa[axis].max(pb[axis]).max(pc[axis]).ceil().max(0.0) as usize;
        for y in least(1).max(top)..most(1).min(bottom).min(self.height) {
            for x in least(0).max(left)..most(0).min(right).min(self.width) {
                let middle = [x as f32 + 0.5, y as f32 + 0.5];
                let shares = [
                    edge(pb, pc, middle),
                    edge(pc, pa, middle),
                    edge(pa, pb, middle),
                ];
                let shares = shares.map(|share| share / area);
                if shares.iter().all(|share| *share >= 0.0) {
                    let color = self.color([&a, &b, &c], shares);
                    blend(&mut self.pixels[y * self.width + x], color);
                }
            }
        }
    }

    /// The mixture of three corners, times what the texture has there.
    fn color(&self, corners: [&Vertex; 3], shares: [f32; 3]) -> [f32; 4] {
        let mut color = [0.0; 4];
        let mut uv = [0.0; 2];
        for (vertex, share) in corners.into_iter().zip(shares) {
            let of_vertex = vertex.color.to_array();
            for channel in 0..4 {
                color[channel] += share * f32::from(of_vertex[channel]) / 255.0;
            }
            uv[0] += share * vertex.uv.x;
            uv[1] += share * vertex.uv.y;
        }
        let [width, height] = self.font_size;
        let place = |share: f32, side: usize| ((share * side as f32) as usize).min(side - 1);
        let texel = self.font[place(uv[1], height) * width + place(uv[0], width)].to_array();
        std::array::from_fn(|channel| color[channel] * f32::from(texel[channel]) / 255.0)
    }

    fn finish(self) -> RgbaTile {
        let byte = |value: f32| (value * 255.0).round().clamp(0.0, 255.0) as u8;
        RgbaTile {
            size: ImageSize::new(self.width as u32, self.height as u32),
            // The sheet covers everything, so that nothing is transparent.
            pixels: self
                .pixels
                .iter()
                .flat_map(|&[r, g, b, _]| [byte(r), byte(g), byte(b), 255])
                .collect(),
        }
    }
}

/// Twice the area of a triangle, negative when it turns the other way.
fn edge(a: [f32; 2], b: [f32; 2], c: [f32; 2]) -> f32 {
    (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
}

fn blend(below: &mut [f32; 4], above: [f32; 4]) {
    for channel in 0..4 {
        below[channel] = above[channel] + below[channel] * (1.0 - above[3]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::Scale;
    use crate::ui::training::chart::ChartLine;

    #[test]
    fn a_picture_shows_the_line_and_the_words() {
        let red = Color32::from_rgb(250, 10, 10);
        let chart = Chart {
            title: "Loss",
            lines: vec![ChartLine {
                name: "a".to_owned(),
                color: red,
                points: vec![(1.0, 0.2), (5.0, 0.8)],
                ..ChartLine::default()
            }],
            marks: Vec::new(),
            levels: Vec::new(),
            remark: None,
            epochs: [1.0, 5.0],
            scale: Scale::of_ratios(),
            number: |value| value.to_string(),
            height: 120.0,
        };
        let picture = drawn(&[chart], "A run", Theme::Dark);
        assert_eq!(picture.size.width, 2_000);
        let pixels = || picture.pixels.chunks_exact(4);
        let reds = pixels().filter(|p| p[0] > 200 && p[1] < 80).count();
        let whites = pixels()
            .filter(|p| p.iter().all(|&value| value > 150))
            .count();
        assert!(reds > 1_000, "{reds} pixels of the line");
        assert!(whites > 100, "{whites} pixels of letters");
    }
}
