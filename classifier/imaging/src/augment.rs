//! Training images as they might also have been taken: turned, moved, brighter, noisier.

use crate::preprocess::normalise;
use crate::random::Random;

/// One random variant of a square grey image, normalised for the network.
///
/// Geometry (rotation ±25°, scale 0.75 to 1.3, aspect ±15 %, shift ±9 %, shear,
/// mirroring) in one bilinear pass; then gamma, contrast, brightness, sometimes
/// noise, blur and a blanked rectangle. `out` has the size of `source`.
pub fn augment(source: &[u8], side: usize, random: &mut Random, out: &mut [f32]) {
    let warp = Warp::draw(side, random);
    let tone = tone_curve(random);
    let noise = if random.unit() < 0.25 {
        random.range(0.0, 8.0)
    } else {
        0.0
    };
    warp.apply(source, &tone, out);
    if noise > 0.0 {
        for value in out.iter_mut() {
            *value += noise * 2.0 * (random.unit() + random.unit() + random.unit() - 1.5);
        }
    }
    if random.unit() < 0.2 {
        blur(out, side);
    }
    normalise(out);
    if random.unit() < 0.5 {
        blank_rectangle(out, side, random);
    }
}

/// Where each output pixel comes from.
struct Warp {
    side: usize,
    cos: f32,
    sin: f32,
    scale_x: f32,
    scale_y: f32,
    mirror: f32,
    shear: f32,
    shift_x: f32,
    shift_y: f32,
}

impl Warp {
    fn draw(side: usize, random: &mut Random) -> Warp {
        let angle = random.range(-25.0, 25.0).to_radians();
        let (scale, aspect) = (random.range(0.75, 1.3), random.range(0.87, 1.15));
        let mirror = if random.unit() < 0.5 { -1.0 } else { 1.0 };
        let reach = side as f32 * 0.0875;
        Warp {
            side,
            cos: angle.cos(),
            sin: angle.sin(),
            scale_x: scale * aspect,
            scale_y: scale / aspect,
            mirror,
            shift_x: random.range(-reach, reach),
            shift_y: random.range(-reach, reach),
            shear: random.range(-0.08, 0.08),
        }
    }

    fn apply(&self, source: &[u8], tone: &[f32; 257], out: &mut [f32]) {
        let half = (self.side as f32 - 1.0) / 2.0;
        for (y, row) in out.chunks_exact_mut(self.side).enumerate() {
            for (x, value) in row.iter_mut().enumerate() {
                let dy = y as f32 - half;
                let dx = (x as f32 - half) * self.mirror + self.shear * dy;
                let u = (self.cos * dx - self.sin * dy) / self.scale_x + half + self.shift_x;
                let v = (self.sin * dx + self.cos * dy) / self.scale_y + half + self.shift_y;
                let grey = sample(source, self.side, u, v);
                let (low, part) = (grey as usize, grey.fract());
                *value = tone[low] * (1.0 - part) + tone[low + 1] * part;
            }
        }
    }
}

/// The value at `(u, v)`, between pixels; black outside.
fn sample(source: &[u8], side: usize, u: f32, v: f32) -> f32 {
    let (u0, v0) = (u.floor(), v.floor());
    let (part_u, part_v) = (u - u0, v - v0);
    let at = |x: f32, y: f32| {
        if x < 0.0 || y < 0.0 || x >= side as f32 || y >= side as f32 {
            0.0
        } else {
            f32::from(source[y as usize * side + x as usize])
        }
    };
    let top = at(u0, v0) * (1.0 - part_u) + at(u0 + 1.0, v0) * part_u;
    let bottom = at(u0, v0 + 1.0) * (1.0 - part_u) + at(u0 + 1.0, v0 + 1.0) * part_u;
    (top * (1.0 - part_v) + bottom * part_v).clamp(0.0, 255.0)
}

/// Random gamma, contrast and brightness, by grey value (one more for interpolation).
fn tone_curve(random: &mut Random) -> [f32; 257] {
    let (gamma, gain) = (random.range(0.6, 1.6), random.range(0.7, 1.3));
    let offset = random.range(-12.0, 12.0);
    std::array::from_fn(|grey| 255.0 * (grey.min(255) as f32 / 255.0).powf(gamma) * gain + offset)
}

/// The 3×3 binomial filter; the outermost pixels stay.
fn blur(values: &mut [f32], side: usize) {
    let source = values.to_vec();
    for y in 1..side - 1 {
        for x in 1..side - 1 {
            let i = y * side + x;
            let row = |i: usize| 0.25 * source[i - 1] + 0.5 * source[i] + 0.25 * source[i + 1];
            values[i] = 0.25 * row(i - side) + 0.5 * row(i) + 0.25 * row(i + side);
        }
    }
}

/// Sets a rectangle of 10 to 35 % of each side to the image's mean (cut-out).
fn blank_rectangle(values: &mut [f32], side: usize, random: &mut Random) {
    let mut extent = || (random.range(0.1, 0.35) * side as f32) as usize;
    let (width, height) = (extent(), extent());
    let (left, top) = (random.below(side - width), random.below(side - height));
    for row in values.chunks_exact_mut(side).skip(top).take(height) {
        row[left..left + width].fill(0.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variant_depends_on_its_seed_alone() {
        let source: Vec<u8> = (0..64 * 64).map(|i| (i % 251) as u8).collect();
        let draw = |seed| {
            let mut out = vec![0.0; 64 * 64];
            augment(&source, 64, &mut Random::new(seed), &mut out);
            out
        };
        assert_eq!(draw(5), draw(5));
        assert_ne!(draw(5), draw(6));
        assert!((0..50).all(|seed| draw(seed).iter().all(|v| v.is_finite())));
    }
}
