use super::{ImagePoint, ImageRect, ImageSize, PixelRect, ScreenPoint, ScreenSize};

/// The largest magnification: screen pixels per image pixel.
pub const MAX_SCALE: f64 = 64.0;
const MIN_SCALE: f64 = 1.0 / 4096.0;
/// Share of the canvas that an image fills when fitted.
const FIT_SHARE: f64 = 0.98;

/// Shows a part of the image on a canvas. Plain data, so panes can share or copy it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Camera {
    /// Image position at the middle of the canvas.
    pub center: ImagePoint,
    /// Screen pixels per image pixel; above 1 the image is magnified.
    pub scale: f64,
}

impl Default for Camera {
    fn default() -> Self {
        Self {
            center: ImagePoint::default(),
            scale: 1.0,
        }
    }
}

impl Camera {
    /// A camera that shows all of an image of `size` with a small margin.
    pub fn fitting(size: ImageSize, canvas: ScreenSize) -> Self {
        let across = canvas.width / f64::from(size.width.max(1));
        let down = canvas.height / f64::from(size.height.max(1));
        let center = ImagePoint::new(f64::from(size.width) / 2.0, f64::from(size.height) / 2.0);
        Self {
            center,
            scale: (across.min(down) * FIT_SHARE).clamp(MIN_SCALE, MAX_SCALE),
        }
    }

    /// A camera that shows all of `rect`, level-0 pixels, with a margin around it.
    pub fn showing(rect: PixelRect, canvas: ScreenSize) -> Self {
        let size = ImageSize::new(rect.width, rect.height);
        let fitted = Self::fitting(size, canvas);
        Self {
            center: ImagePoint::new(
                fitted.center.x + f64::from(rect.x),
                fitted.center.y + f64::from(rect.y),
            ),
            scale: fitted.scale * 0.94,
        }
    }

    /// Where image position `at` is on a canvas.
    pub fn screen_from_image(&self, canvas: ScreenSize, at: ImagePoint) -> ScreenPoint {
        ScreenPoint {
            x: (at.x - self.center.x) * self.scale + canvas.width / 2.0,
            y: (at.y - self.center.y) * self.scale + canvas.height / 2.0,
        }
    }

    /// Which image position canvas position `at` shows.
    pub fn image_from_screen(&self, canvas: ScreenSize, at: ScreenPoint) -> ImagePoint {
        ImagePoint {
            x: (at.x - canvas.width / 2.0) / self.scale + self.center.x,
            y: (at.y - canvas.height / 2.0) / self.scale + self.center.y,
        }
    }

    /// The part of image space that a canvas shows; it may reach beyond the image.
    pub fn visible_image_rect(&self, canvas: ScreenSize) -> ImageRect {
        ImageRect {
            min: self.image_from_screen(canvas, ScreenPoint::default()),
            max: self.image_from_screen(canvas, ScreenPoint::new(canvas.width, canvas.height)),
        }
    }

    /// The pixels of an image of `size` that a canvas shows, even in part.
    pub fn visible_pixels(&self, canvas: ScreenSize, size: ImageSize) -> PixelRect {
        let view = self.visible_image_rect(canvas);
        let inside = |at: f64, side: u32| at.clamp(0.0, f64::from(side));
        let left = inside(view.min.x.floor(), size.width) as u32;
        let top = inside(view.min.y.floor(), size.height) as u32;
        let right = inside(view.max.x.ceil(), size.width) as u32;
        let bottom = inside(view.max.y.ceil(), size.height) as u32;
        PixelRect::new(left, top, right - left, bottom - top)
    }

    /// Zooms by `factor`; the image stays put under `anchor`.
    pub fn zoom_about(&mut self, canvas: ScreenSize, anchor: ScreenPoint, factor: f64) {
        let held = self.image_from_screen(canvas, anchor);
        self.scale = (self.scale * factor).clamp(MIN_SCALE, MAX_SCALE);
        let slipped_to = self.image_from_screen(canvas, anchor);
        self.center.x += held.x - slipped_to.x;
        self.center.y += held.y - slipped_to.y;
    }

    /// The same camera moved by at most half a screen pixel, so that the image's corner lies on a
    /// corner of screen pixels: at whole scales no screen pixel shows a border of two image pixels.
    pub fn aligned(&self, canvas: ScreenSize) -> Self {
        let corner = self.screen_from_image(canvas, ImagePoint::default());
        let mut aligned = *self;
        aligned.pan(corner.x.round() - corner.x, corner.y.round() - corner.y);
        aligned
    }

    /// Moves the picture by (dx, dy) screen pixels.
    pub fn pan(&mut self, dx: f64, dy: f64) {
        self.center.x -= dx / self.scale;
        self.center.y -= dy / self.scale;
    }

    /// The same camera with its centre held inside an image of `size`, so that it cannot be lost.
    pub fn held_inside(mut self, size: ImageSize) -> Self {
        self.center.x = self.center.x.clamp(0.0, f64::from(size.width));
        self.center.y = self.center.y.clamp(0.0, f64::from(size.height));
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CANVAS: ScreenSize = ScreenSize::new(800.0, 600.0);

    #[test]
    fn zooming_holds_what_is_under_the_pointer() {
        let mut camera = Camera {
            center: ImagePoint::new(4_000.0, 3_000.0),
            scale: 0.25,
        };
        let anchor = ScreenPoint::new(123.0, 456.0);
        let before = camera.image_from_screen(CANVAS, anchor);
        camera.zoom_about(CANVAS, anchor, 3.7);
        let after = camera.image_from_screen(CANVAS, anchor);
        assert!(before.distance(after) < 1e-9);
    }

    #[test]
    fn aligned_pixels_fall_on_screen_pixels() {
        let camera = Camera {
            center: ImagePoint::new(512.0, 511.7),
            scale: 1.0,
        };
        let canvas = ScreenSize::new(801.0, 600.0);
        let aligned = camera.aligned(canvas);
        let corner = aligned.screen_from_image(canvas, ImagePoint::default());
        assert_eq!((corner.x, corner.y), (-112.0, -212.0));
        assert!(aligned.center.distance(camera.center) < 1.0);
        assert_eq!(aligned.aligned(canvas), aligned);
    }

    #[test]
    fn a_fitted_image_is_all_visible() {
        let camera = Camera::fitting(ImageSize::new(9_500, 9_000), CANVAS);
        let view = camera.visible_image_rect(CANVAS);
        assert!(
            view.min.x < 0.0 && view.min.y < 0.0 && view.max.x > 9_500.0 && view.max.y > 9_000.0
        );
    }

    #[test]
    fn visible_pixels_are_those_of_the_image() {
        let camera = Camera {
            center: ImagePoint::new(100.0, 5_000.5),
            scale: 2.0,
        };
        let visible = camera.visible_pixels(CANVAS, ImageSize::new(9_500, 9_000));
        assert_eq!(visible, PixelRect::new(0, 4_850, 300, 301));
    }

    #[test]
    fn panning_moves_the_picture_with_the_hand() {
        let mut camera = Camera {
            center: ImagePoint::new(100.0, 100.0),
            scale: 2.0,
        };
        camera.pan(10.0, -4.0);
        assert_eq!(camera.center, ImagePoint::new(95.0, 102.0));
    }
}
