use super::LeakSample;
use crate::dataset::hash;
use crate::dataset::parts::Part;
use crate::geom::ImageSize;

/// The samples, rising, whose images together have at most `most` pixels. Held-out ones come first,
/// up to half of that, since each leak has one; which ones follows from their names.
pub(super) fn affordable(samples: &[LeakSample<'_>], sizes: &[ImageSize], most: u64) -> Vec<usize> {
    let pixels = |at: usize| sizes[at].num_pixels();
    let all: u64 = (0..samples.len()).map(pixels).sum();
    if all <= most {
        return (0..samples.len()).collect();
    }
    let mut order: Vec<usize> = (0..samples.len()).collect();
    order.sort_by_cached_key(|&at| {
        let letters = samples[at].name.bytes().map(u64::from);
        (hash(&letters.collect::<Vec<_>>()), at)
    });
    let (train, held): (Vec<usize>, Vec<usize>) = order
        .into_iter()
        .partition(|&at| samples[at].part == Part::Train);
    let mut chosen = Vec::new();
    let mut spent = 0;
    for (among, limit) in [(held, most / 2), (train, most)] {
        for at in among {
            if spent + pixels(at) <= limit {
                spent += pixels(at);
                chosen.push(at);
            }
        }
    }
    chosen.sort_unstable();
    chosen
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn held_out_images_come_first_and_all_where_they_fit() {
        let names: Vec<String> = (0..100).map(|at| format!("{at}.png")).collect();
        let samples: Vec<LeakSample<'_>> = (0..100)
            .map(|at| LeakSample {
                name: &names[at],
                path: Path::new(""),
                part: if at < 80 { Part::Train } else { Part::Test },
            })
            .collect();
        let sizes = vec![ImageSize::new(10, 10); 100];
        assert_eq!(affordable(&samples, &sizes, 10_000).len(), 100);
        let few = affordable(&samples, &sizes, 3_000);
        let held = few.iter().filter(|&&at| at >= 80).count();
        assert_eq!((few.len(), held), (30, 15));
        assert!(few.is_sorted() && few[..15] != (0..15).collect::<Vec<_>>()[..]);
        assert_eq!(few, affordable(&samples, &sizes, 3_000));
    }
}
