use std::path::Path;

use super::find_table::find_table;
use super::ground::{ImageGround, PlaceRelation, continued};
use super::question::{Question, questions};
use crate::label::{
    Align, ClassTable, Encoding, MaskDecisions, MaskError, MaskSurvey, NEAR_CODE, Shading,
    TableOrigin, Unknown, grouped, survey_mask,
};

/// What a person must know before a mask file becomes the label of an image.
#[derive(Clone, Debug, PartialEq)]
pub struct MaskAudit {
    /// What the file's pixels say, with which class table.
    pub survey: MaskSurvey,
    /// The image's extent and place.
    pub image: ImageGround,
    /// Where the file lies with regard to the image.
    pub place: PlaceRelation,
}

/// Looks at a mask file that is to become the label of `image`, with `classes` or the class table
/// that lies beside it.
///
/// # Errors
/// [`MaskError`] when the file cannot be read, its pixels cannot be classes at all, or the class
/// table beside it cannot be used.
pub fn audit_mask(
    path: &Path,
    image: &ImageGround,
    classes: Option<&ClassTable>,
) -> Result<MaskAudit, MaskError> {
    let found = find_table(path, classes)?;
    let survey = survey_mask(path, found.as_ref())?;
    let mask = ImageGround {
        size: survey.size,
        georef: survey.georef.clone(),
    };
    Ok(MaskAudit {
        place: PlaceRelation::between(&mask, image),
        image: image.clone(),
        survey,
    })
}

impl MaskAudit {
    /// Whether the file has the image's extent.
    pub fn is_same_size(&self) -> bool {
        self.survey.size == self.image.size
    }

    /// Whether pixel lies on pixel without anybody's decision.
    pub fn is_aligned(&self) -> bool {
        self.is_same_size() && self.place.allows_pixel_on_pixel()
    }

    /// The likely decisions; a file on another grid is refused until somebody decides.
    pub fn suggested(&self) -> MaskDecisions {
        let is_compressed = self
            .survey
            .shading
            .is_some_and(|shading| shading.looks_compressed());
        MaskDecisions {
            encoding: self.survey.encoding,
            zero: self
                .survey
                .zero
                .as_ref()
                .map_or_else(Default::default, |zero| zero.suggested),
            unknown: if is_compressed {
                Unknown::Nearest {
                    max_distance: NEAR_CODE,
                }
            } else {
                Unknown::Unlabeled
            },
            align: Align::Refuse,
        }
    }

    /// What a person must decide; nothing when the file is plainly understood.
    pub fn open_questions(&self) -> Vec<Question> {
        questions(self)
    }

    /// All that there is to say, a sentence each without its period.
    pub fn sentences(&self) -> Vec<String> {
        let survey = &self.survey;
        let read_as = match survey.encoding {
            Encoding::Index | Encoding::Auto => "class indices",
            Encoding::Binary => "black and white",
            Encoding::Rgb => "colors of classes",
        };
        let mut all = vec![
            format!("Read as {read_as}: {}", continued(&survey.why)),
            self.table(),
        ];
        all.extend(self.unknown());
        all.extend(
            survey
                .shading
                .filter(|shading| shading.exact < 1.0)
                .map(shading),
        );
        all.extend(survey.zero.as_ref().map(|zero| zero.why.clone()));
        all.push(self.extent());
        all.push(self.place.to_string());
        all
    }

    fn table(&self) -> String {
        let table = &self.survey.table;
        let from = match &table.origin {
            TableOrigin::Given => "as given".to_owned(),
            TableOrigin::Beside => "from the class table beside the file".to_owned(),
            TableOrigin::CategoryNames(path) => format!("from GDAL's names: {}", path.display()),
            TableOrigin::List(path) => format!("from a list: {}", path.display()),
            TableOrigin::Palette => "in the palette's colors, without names".to_owned(),
            TableOrigin::Values => "made from the values, without names".to_owned(),
            TableOrigin::Colors => "made from the colors, without names".to_owned(),
            TableOrigin::BlackAndWhite => "for black and white".to_owned(),
        };
        let (known, all) = (self.survey.known.len(), table.classes.classes().len());
        format!("{known} of {all} classes occur, {from}")
    }

    fn unknown(&self) -> Option<String> {
        let survey = &self.survey;
        let first = survey.unknown.first()?;
        let (x, y) = first.at;
        Some(format!(
            "{} pixels ({}) of {} values stand for no class; the most frequent is {} ({} pixels, \
             first at {x}, {y})",
            grouped(survey.num_unknown),
            percent(survey.num_unknown as f64 / survey.size.num_pixels().max(1) as f64),
            survey.num_unknown_values,
            first.value,
            grouped(first.pixels)
        ))
    }

    fn extent(&self) -> String {
        let (found, expected) = (self.survey.size, self.image.size);
        if found == expected {
            return format!("It has the image's extent, {found} pixels");
        }
        format!("It has {found} pixels and the image {expected}")
    }
}

fn shading(shading: Shading) -> String {
    let verdict = if shading.looks_compressed() {
        "It looks like a mask after lossy compression"
    } else if shading.looks_foreign() {
        "It looks like a picture, or has another class table"
    } else {
        "Some colors are not exactly a class's"
    };
    format!(
        "{verdict}: {} different colors, {} of the pixels exactly in a class's color, {} within \
         {NEAR_CODE} of just one",
        shading.num_colors,
        percent(shading.exact),
        percent(shading.near)
    )
}

/// A share in percent that never says 0 or 100 for what is neither.
pub(super) fn percent(share: f64) -> String {
    if share > 0.0 && share < 0.001 {
        return "less than 0.1 %".to_owned();
    }
    if share < 1.0 && share > 0.999 {
        return "more than 99.9 %".to_owned();
    }
    format!("{:.1} %", 100.0 * share)
}

#[cfg(test)]
mod tests {
    use super::super::test_files::{grey, rgb};
    use super::*;
    use crate::exchange::{pam_path, write_pam};
    use crate::geom::{Georef, ImageSize};
    use crate::label::{Class, Mask, SaveAs, ZeroMeans, save_mask};

    fn plain(width: u32, height: u32) -> ImageGround {
        ImageGround {
            size: ImageSize::new(width, height),
            georef: None,
        }
    }

    fn table(names: &[&str]) -> ClassTable {
        let class = |(index, name): (u8, &&str)| Class::new(index, *name, [index * 60; 3]);
        ClassTable::new(None, (0..).zip(names).map(class).collect()).expect("valid")
    }

    #[track_caller]
    fn check(path: &Path, table: Option<&ClassTable>, why: &str, questions: &[&str]) -> MaskAudit {
        let audit = audit_mask(path, &plain(4, 1), table).expect("a mask");
        assert_eq!(audit.survey.why, why);
        let asked: Vec<String> = audit.open_questions().into_iter().map(|q| q.text).collect();
        assert_eq!(asked, questions);
        for question in audit.open_questions() {
            let suggested = audit.suggested();
            let fits = question
                .choices
                .iter()
                .filter(|choice| choice.answer.is_in(suggested));
            assert_eq!(fits.count(), 1, "one choice is the suggested one");
        }
        audit
    }

    #[test]
    fn plain_files_leave_no_question() {
        let folder = tempfile::tempdir().expect("a folder");
        let land = ClassTable::landcover_ai();
        let file = grey(folder.path(), 4, &[0, 1, 4, 255]);
        let why = "One band, the values 0, 1, 4 and 255, all in the class table";
        let audit = check(&file, Some(&land), why, &[]);
        assert_eq!(audit.survey.known, [(0, 1), (1, 1), (4, 1)]);
        let file = grey(folder.path(), 4, &[0, 0, 255, 255]);
        check(&file, None, "One band, black and white alone", &[]);
        let code = |class: u8| land.get(class).expect("there").code();
        let file = rgb(
            folder.path(),
            4,
            &[code(1), code(1), code(2), code(3)].concat(),
        );
        let why = "Three bands, 3 different colors, all in the class table";
        check(&file, Some(&land), why, &[]);
    }

    #[test]
    fn zero_is_asked_about_where_nothing_tells() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = grey(folder.path(), 4, &[0, 1, 2, 2]);
        let why = "One band, the values 0, 1 and 2, and no class table";
        let asked = "0 has no name and covers 25.0 %. What does 0 stand for?";
        check(&file, None, why, &[asked]);
        let why = "One band, the values 0, 1 and 2, all in the class table";
        let void = table(&["Void", "a", "b"]);
        let asked = "0 is “Void” in the class table, which is a name for no class. What does 0 \
                     stand for?";
        let audit = check(&file, Some(&void), why, &[asked]);
        assert_eq!(audit.suggested().zero, ZeroMeans::Unlabeled);
        write_pam(&pam_path(&file), &table(&["ground", "a", "b"])).expect("written");
        let audit = check(&file, None, why, &[]);
        let origin = &audit.survey.table.origin;
        assert!(
            matches!(origin, TableOrigin::CategoryNames(_)),
            "{origin:?}"
        );
    }

    #[test]
    fn unknown_values_are_listed_by_frequency_with_a_place() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = grey(folder.path(), 4, &[1, 9, 7, 7]);
        let why = "One band, the values 1, 7 and 9, 1 of them in the class table";
        let asked = "3 pixels (75.0 %) have a value that is no class. What shall they become?";
        let audit = check(&file, Some(&ClassTable::landcover_ai()), why, &[asked]);
        let unknown: Vec<String> = audit
            .survey
            .unknown
            .iter()
            .map(|value| format!("{} {} {:?}", value.value, value.pixels, value.at))
            .collect();
        assert_eq!(unknown, ["value 7 2 (2, 0)", "value 9 1 (1, 0)"]);
        let sentence = "3 pixels (75.0 %) of 2 values stand for no class; the most frequent is \
                        value 7 (2 pixels, first at 2, 0)";
        assert!(audit.sentences().iter().any(|told| told == sentence));
    }

    #[test]
    fn another_grid_is_asked_about() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("mask.tif");
        let georef = Georef::north_up(500_000.0, 200_000.0, 1.0, Some(2180));
        let mask = Mask::filled(ImageSize::new(4, 4), 1);
        let table = table(&["a", "b"]);
        save_mask(&path, &mask, &table, Some(&georef), SaveAs::GeoTiff).expect("written");
        let image = ImageGround {
            size: ImageSize::new(4, 4),
            georef: Some(Georef {
                map_from_image: [1.0, 0.0, 499_999.0, 0.0, -1.0, 200_000.0],
                ..georef
            }),
        };
        let audit = audit_mask(&path, &image, Some(&table)).expect("a mask");
        let [question] = &audit.open_questions()[..] else {
            panic!("one question: {:?}", audit.open_questions());
        };
        let expected = "By its georeference it is shifted by 1.00 pixels to the right. Where does \
                        it lie on the image?";
        assert_eq!(
            (question.text.as_str(), question.choices.len()),
            (expected, 3)
        );
        let other = plain(8, 8);
        let audit = audit_mask(&path, &other, Some(&table)).expect("a mask");
        let text = &audit.open_questions()[0].text;
        assert!(
            text.starts_with("It has 4 × 4 pixels and the image 8 × 8. "),
            "{text}"
        );
    }
}
