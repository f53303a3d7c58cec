use std::collections::BTreeMap;

use super::class_values::{check_indices, class_of, classes_of, text_of};
use super::place::Place;
use super::{BurnPlan, ExchangeError, Geometry, LineWidth, Shape, VectorLayer};
use crate::geom::{Georef, ImageSize};
use crate::label::{ClassTable, Figure, Mask, rasterize};

/// How many values without a class are named in notes.
const MAX_NAMED_VALUES: usize = 20;
/// Wider lines, in meters, are mistakes.
const WIDEST: f64 = 10_000.0;

/// A mask made of polygons and lines.
#[derive(Clone, Debug)]
pub struct Burned {
    /// The classes of the pixels; unlabeled where no shape is.
    pub mask: Mask,
    /// What they are called.
    pub classes: ClassTable,
    /// What was left out, assumed or is inexact, as sentences for the user.
    pub notes: Vec<String>,
}

/// Draws the polygons and lines of a layer as classes on the ground of an image.
///
/// They are brought into the image's coordinate system, where both are known. A pixel belongs to a
/// polygon that its center lies in, and to a line that its center is within half of the width of.
///
/// # Errors
/// [`ExchangeError`] when the layer cannot be brought to the image, or nothing says what the classes
/// are, or they contradict the plan.
pub fn burn_in(
    layer: &VectorLayer,
    plan: &BurnPlan,
    size: ImageSize,
    georef: Option<&Georef>,
) -> Result<Burned, ExchangeError> {
    check_indices(&layer.shapes, plan)?;
    let classes = classes_of(&layer.shapes, plan)?;
    let mut notes = Vec::new();
    let place = Place::new(layer, size, georef, &mut notes)?;
    let mut left_out = LeftOut::default();
    let mut figures = Vec::new();
    for shape in &layer.shapes {
        let value = shape.properties.get(&plan.attribute);
        let Some(class) = class_of(value, plan, &classes).or(plan.otherwise) else {
            *left_out.values.entry(text_of(value)).or_default() += 1;
            continue;
        };
        if let Some(figure) = figure_of(shape, plan, &place, &mut left_out) {
            figures.push((figure, class));
        }
    }
    let rank = |class: u8| plan.order.iter().position(|&ordered| ordered == class);
    figures.sort_by_key(|&(_, class)| rank(class).map_or(0, |rank| rank + 1));
    let mut mask = Mask::new(size);
    rasterize(&mut mask, &figures);
    left_out.tell(layer, plan, figures.len(), &mut notes);
    Ok(Burned {
        mask,
        classes,
        notes,
    })
}

/// Shapes that are not drawn.
#[derive(Default)]
struct LeftOut {
    /// By the value of the attribute, those without a class.
    values: BTreeMap<String, u64>,
    without_width: u64,
    without_place: u64,
    elsewhere: u64,
}

fn figure_of(
    shape: &Shape,
    plan: &BurnPlan,
    place: &Place<'_>,
    left_out: &mut LeftOut,
) -> Option<Figure> {
    let width = match &shape.geometry {
        Geometry::Polygon(_) => 0.0,
        Geometry::Line(_) => {
            let Some(width) = width_of(shape, &plan.line_width) else {
                left_out.without_width += 1;
                return None;
            };
            width
        }
    };
    let Some(figure) = place.figure(&shape.geometry, width) else {
        left_out.without_place += 1;
        return None;
    };
    if !place.reaches(&figure) {
        left_out.elsewhere += 1;
        return None;
    }
    Some(figure)
}

/// In meters, or pixels.
fn width_of(shape: &Shape, rule: &LineWidth) -> Option<f64> {
    let width = match rule {
        LineWidth::Unknown => None,
        LineWidth::Fixed(width) => Some(*width),
        LineWidth::Attribute { name, otherwise } => {
            let written = text_of(shape.properties.get(name))
                .replace(',', ".")
                .parse();
            let usable = written.ok().filter(|&width: &f64| width > 0.0);
            usable.or(*otherwise)
        }
    };
    width.filter(|&width| width > 0.0 && width <= WIDEST)
}

impl LeftOut {
    fn tell(self, layer: &VectorLayer, plan: &BurnPlan, drawn: usize, notes: &mut Vec<String>) {
        let told = [
            (
                layer.skipped,
                "features are neither polygons nor lines and were left out",
            ),
            (
                self.without_width,
                "lines have no width and were left out; say how wide they are",
            ),
            (
                self.without_place,
                "shapes have no place in the image's coordinate system and were left out",
            ),
            (self.elsewhere, "shapes lie beside the image"),
        ];
        let told = told.into_iter().filter(|(count, _)| *count > 0);
        notes.extend(told.map(|(count, what)| format!("{count} {what}")));
        if drawn == 0 && self.elsewhere > 0 {
            notes.push(
                "Nothing lies on the image; check that both are in the coordinate system they say"
                    .to_owned(),
            );
        }
        let attribute = &plan.attribute;
        let mut values: Vec<(String, u64)> = self.values.into_iter().collect();
        values.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        let rest = values.split_off(values.len().min(MAX_NAMED_VALUES));
        notes.extend(values.into_iter().map(|(value, count)| {
            let value: String = value.chars().take(80).collect();
            format!("{count} shapes with {attribute} “{value}” have no class and were left out")
        }));
        if !rest.is_empty() {
            let (values, count) = (rest.len(), rest.iter().map(|(_, count)| count).sum::<u64>());
            notes.push(format!(
                "{count} shapes with {values} other values have no class and were left out"
            ));
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, Value, json};

    use super::super::{Crs, Reprojection};
    use super::*;
    use crate::label::{Class, UNLABELED};

    const SIZE: ImageSize = ImageSize::new(100, 80);

    /// Pixels of half a meter near Berlin, in UTM zone 33.
    fn georef() -> Georef {
        Georef::north_up(390_000.0, 5_820_000.0, 0.5, Some(25833))
    }

    fn square(left: f64, top: f64, side: f64) -> Geometry {
        let (right, bottom) = (left + side, top - side);
        Geometry::Polygon(vec![vec![
            [left, top],
            [right, top],
            [right, bottom],
            [left, bottom],
        ]])
    }

    fn layer(crs: Option<u32>, shapes: Vec<(Geometry, Value)>) -> VectorLayer {
        let mut layer = VectorLayer {
            crs: crs.map(Crs::Epsg),
            ..VectorLayer::default()
        };
        for (geometry, properties) in shapes {
            let Value::Object(properties) = properties else {
                panic!("an object");
            };
            layer.add(vec![geometry], properties);
        }
        layer
    }

    fn two_squares(crs: Option<u32>) -> VectorLayer {
        layer(
            crs,
            vec![
                (square(390_005.0, 5_819_995.0, 10.0), json!({"use": "road"})),
                (square(390_010.0, 5_819_990.0, 10.0), json!({"use": "lawn"})),
            ],
        )
    }

    fn by_use() -> BurnPlan {
        BurnPlan::by_attribute("use")
    }

    #[test]
    fn later_shapes_lie_above_unless_the_plan_orders_the_classes() {
        let layer = two_squares(Some(25833));
        let burned = burn_in(&layer, &by_use(), SIZE, Some(&georef())).expect("burned");
        assert_eq!(burned.notes, Vec::<String>::new());
        let counts = burned.mask.histogram();
        assert_eq!((counts[0], counts[1]), (400, 400 - 100));
        let plan = BurnPlan {
            order: vec![0, 1],
            ..by_use()
        };
        let burned = burn_in(&layer, &plan, SIZE, Some(&georef())).expect("burned");
        let counts = burned.mask.histogram();
        assert_eq!((counts[0], counts[1]), (400 - 100, 400));
    }

    #[test]
    fn another_coordinate_system_gives_the_same_mask() {
        let here = two_squares(Some(25833));
        let expected = burn_in(&here, &by_use(), SIZE, Some(&georef())).expect("burned");
        for epsg in [4326, 3857, 2180] {
            let way = Reprojection::new(&Crs::Epsg(25833), &Crs::Epsg(epsg));
            let way = way.expect("supported").expect("another");
            let mut there = here.clone();
            there.crs = Some(Crs::Epsg(epsg));
            for shape in &mut there.shapes {
                let moved = shape.geometry.try_map(|at| way.point(at));
                shape.geometry = moved.expect("on the map");
            }
            let burned = burn_in(&there, &by_use(), SIZE, Some(&georef())).expect("burned");
            assert!(burned.mask == expected.mask, "{epsg}");
            assert_eq!(burned.notes, Vec::<String>::new());
            if epsg == 4326 {
                there.crs = None;
                let burned = burn_in(&there, &by_use(), SIZE, Some(&georef())).expect("burned");
                assert!(burned.mask == expected.mask);
                assert!(burned.notes[0].contains("degrees"), "{:?}", burned.notes);
            }
        }
    }

    #[test]
    fn a_table_maps_values_and_what_it_does_not_know_is_counted() {
        let mut layer = two_squares(None);
        layer.add(vec![square(390_040.0, 5_819_970.0, 2.0)], Map::new());
        layer.add(Vec::new(), Map::new());
        let classes = ClassTable::new(None, vec![Class::new(7, "asphalt", [0; 3])]);
        let mut plan = BurnPlan {
            values: [("road".to_owned(), 7)].into(),
            classes: Some(classes.expect("valid")),
            ..by_use()
        };
        let burned = burn_in(&layer, &plan, SIZE, Some(&georef())).expect("burned");
        assert_eq!(burned.mask.histogram()[7], 400);
        assert_eq!(
            burned.notes,
            [
                "1 features are neither polygons nor lines and were left out",
                "1 shapes with use “” have no class and were left out",
                "1 shapes with use “lawn” have no class and were left out",
            ]
        );
        plan.otherwise = Some(7);
        let burned = burn_in(&layer, &plan, SIZE, Some(&georef())).expect("burned");
        assert_eq!(burned.mask.histogram()[7], 700 + 16);
        assert_eq!(burned.notes.len(), 1);
    }

    #[test]
    fn lines_are_as_wide_on_the_ground_as_the_plan_says() {
        let line = || Geometry::Line(vec![[390_010.0, 5_819_980.0], [390_030.0, 5_819_980.0]]);
        let shapes = [
            json!({"use": 1, "w": "4,0"}),
            json!({"use": 2, "w": 0}),
            json!({"use": 3}),
        ];
        let shapes = shapes.map(|properties| (line(), properties)).to_vec();
        let layer = layer(Some(25833), shapes);
        let count = |line_width: LineWidth| {
            let plan = BurnPlan {
                line_width,
                ..by_use()
            };
            let burned = burn_in(&layer, &plan, SIZE, Some(&georef())).expect("burned");
            let counts = burned.mask.histogram();
            (counts[1], counts[2], counts[3], burned.notes)
        };
        // 40 columns of 8 rows, and a disc with a diameter of 8 pixels around a corner of pixels.
        let (whole, _, _, notes) = count(LineWidth::Attribute {
            name: "w".to_owned(),
            otherwise: None,
        });
        assert_eq!(whole, 40 * 8 + 52);
        assert!(notes[0].starts_with("2 lines have no width"), "{notes:?}");
        let (_, _, last, notes) = count(LineWidth::Fixed(4.0));
        assert_eq!((last, notes.len()), (372, 0));
        let (.., notes) = count(LineWidth::Unknown);
        assert!(notes[0].starts_with("3 lines have no width"), "{notes:?}");
        assert_eq!(count(LineWidth::Fixed(f64::INFINITY)).2, 0);
    }

    #[test]
    fn what_is_elsewhere_or_nowhere_is_told() {
        let far = layer(
            Some(25833),
            vec![
                (square(0.0, 0.0, 5.0), json!({"use": 1})),
                (square(f64::NAN, 0.0, 5.0), json!({"use": 1})),
            ],
        );
        let burned = burn_in(&far, &by_use(), SIZE, Some(&georef())).expect("burned");
        assert!(burned.mask == Mask::filled(SIZE, UNLABELED));
        let told = burned.notes.join("\n");
        assert!(told.contains("1 shapes lie beside the image"), "{told}");
        assert!(told.contains("1 shapes have no place"), "{told}");
        assert!(told.contains("Nothing lies on the image"), "{told}");
        let flat = Georef::north_up(0.0, 0.0, 0.0, None);
        let error = burn_in(&far, &by_use(), SIZE, Some(&flat)).expect_err("a line");
        assert!(matches!(error, ExchangeError::Georeference));
    }

    #[test]
    fn a_number_that_is_no_index_is_refused_with_its_feature_unless_the_plan_knows_it() {
        for value in [256, -1] {
            let mut layer = two_squares(None);
            layer.add(Vec::new(), Map::new());
            let Value::Object(properties) = json!({"use": value}) else {
                panic!("an object");
            };
            layer.add(vec![square(390_040.0, 5_819_970.0, 2.0)], properties);
            let error = burn_in(&layer, &by_use(), SIZE, Some(&georef())).expect_err("no class");
            let told = error.to_string();
            let words = format!("Feature 4 has {value} as its “use”");
            assert!(told.starts_with(&words), "{told}");
            assert!(told.contains("0 to 254"), "{told}");
            let known = BurnPlan {
                values: [(value.to_string(), 7)].into(),
                ..by_use()
            };
            let burned = burn_in(&layer, &known, SIZE, Some(&georef())).expect("burned");
            assert_eq!(burned.mask.histogram()[7], 16);
        }
    }

    #[test]
    fn without_a_georeference_coordinates_are_pixels() {
        let shapes = vec![(square(10.0, 30.0, 20.0), json!({"use": 1}))];
        let burned = burn_in(&layer(Some(2180), shapes), &by_use(), SIZE, None).expect("burned");
        assert_eq!(burned.mask.histogram()[1], 400);
        assert_eq!(burned.mask.get(10, 10), 1);
        assert!(burned.notes[0].contains("EPSG:2180"), "{:?}", burned.notes);
    }
}
