use serde::{Deserialize, Deserializer, Serialize};

use crate::label::ClassTable;

/// What one epoch came to. Ratios are 0 to 1.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct EpochRow {
    /// Epoch, from 1.
    pub epoch: u32,
    /// Mean loss over the epoch's steps.
    pub train_loss: f64,
    /// Loss over all held-out ground; no number where there is none.
    #[serde(deserialize_with = "number_or_none")]
    pub val_loss: f64,
    /// Mean `IoU` over the classes that have truth in the held-out ground.
    pub mean_iou: Option<f64>,
    /// Share of the held-out labelled pixels that are right.
    pub pixel_accuracy: Option<f64>,
    /// What answering the most frequent class everywhere would score; `None` in runs of older
    /// versions.
    #[serde(default)]
    pub majority_baseline: Option<f64>,
    /// `IoU` of each class by index; `None` without truth.
    pub per_class_iou: Vec<Option<f64>>,
    /// Learning rate of the epoch's last step.
    pub lr: f64,
    /// Share of the scheduled rate that plateaus had left; `None` in runs of older versions.
    #[serde(default)]
    pub plateau_share: Option<f64>,
    /// Time the epoch took, validation included.
    pub seconds: f64,
    /// How much of it was waiting for images to be decoded and varied; 0 in runs of older versions.
    #[serde(default)]
    pub data_seconds: f64,
    /// How much of it the device computed; 0 in runs of older versions.
    #[serde(default)]
    pub compute_seconds: f64,
    /// The most main memory that the process held until the epoch's end; `None` where the system
    /// does not say, and in runs of older versions.
    #[serde(default)]
    pub peak_bytes: Option<u64>,
    /// Whether this epoch is the best so far.
    pub best: bool,
}

#[cfg(test)]
impl EpochRow {
    /// What does not differ between two runs of one recipe.
    pub(super) fn timeless(self) -> Self {
        Self {
            seconds: 0.0,
            data_seconds: 0.0,
            compute_seconds: 0.0,
            peak_bytes: None,
            ..self
        }
    }
}

/// JSON has no "not a number" and writes null.
fn number_or_none<'de, D: Deserializer<'de>>(reader: D) -> Result<f64, D::Error> {
    Ok(Option::<f64>::deserialize(reader)?.unwrap_or(f64::NAN))
}

/// The rows as a CSV file: one column a class, named `iou_` and the class's name; what does not
/// exist is left empty.
pub(super) fn metrics_csv(rows: &[EpochRow], classes: &ClassTable) -> String {
    let num_classes = rows.first().map_or(0, |row| row.per_class_iou.len());
    let mut text = "epoch,train_loss,val_loss,mean_iou,pixel_accuracy,majority_baseline".to_owned();
    for index in 0..num_classes {
        text.push(',');
        text.push_str(&quoted(&format!("iou_{}", classes.name_of(index as u8))));
    }
    text.push_str(",lr,plateau_share,seconds,data_seconds,compute_seconds,peak_bytes,best\n");
    for row in rows {
        let scores = [row.mean_iou, row.pixel_accuracy, row.majority_baseline];
        let mut fields = vec![
            row.epoch.to_string(),
            number(row.train_loss),
            number(row.val_loss),
        ];
        fields.extend(
            (scores.iter().chain(&row.per_class_iou))
                .map(|score| score.map_or_else(String::new, number)),
        );
        fields.extend([
            format!("{:e}", row.lr),
            (row.plateau_share).map_or_else(String::new, |share| format!("{share:e}")),
            format!("{:.2}", row.seconds),
            format!("{:.2}", row.data_seconds),
            format!("{:.2}", row.compute_seconds),
            (row.peak_bytes).map_or_else(String::new, |bytes| bytes.to_string()),
            row.best.to_string(),
        ]);
        text.push_str(&fields.join(","));
        text.push('\n');
    }
    text
}

fn number(value: f64) -> String {
    format!("{value:.6}")
}

/// A field of a CSV file, in quotes when it needs them (RFC 4180).
pub(super) fn quoted(name: &str) -> String {
    if name.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", name.replace('"', "\"\""))
    } else {
        name.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::label::Class;

    #[test]
    fn rows_become_a_table() {
        let row = EpochRow {
            epoch: 1,
            train_loss: 0.5,
            val_loss: 0.25,
            mean_iou: Some(0.75),
            pixel_accuracy: Some(1.0),
            majority_baseline: Some(0.5),
            per_class_iou: vec![Some(0.75), None],
            lr: 0.001,
            plateau_share: Some(0.25),
            seconds: 2.0,
            data_seconds: 0.25,
            compute_seconds: 1.5,
            peak_bytes: Some(3 << 30),
            best: true,
        };
        let classes = vec![
            Class::new(0, "grass, dry", [0; 3]),
            Class::new(1, "road", [1; 3]),
        ];
        let classes = ClassTable::new(None, classes).expect("a table");
        assert_eq!(
            metrics_csv(&[row], &classes),
            "epoch,train_loss,val_loss,mean_iou,pixel_accuracy,majority_baseline,\
             \"iou_grass, dry\",iou_road,lr,plateau_share,seconds,data_seconds,compute_seconds,\
             peak_bytes,best\n\
             1,0.500000,0.250000,0.750000,1.000000,0.500000,0.750000,,1e-3,2.5e-1,2.00,0.25,1.50,\
             3221225472,true\n"
        );
    }

    #[test]
    fn rows_of_older_versions_are_read() {
        let mut old = serde_json::to_value(EpochRow::default()).expect("a table");
        let table = old.as_object_mut().expect("a table");
        for name in ["majority_baseline", "plateau_share", "peak_bytes"] {
            table.remove(name).expect("it was there");
        }
        let read: EpochRow = serde_json::from_value(old).expect("an older row");
        assert_eq!(read, EpochRow::default());
    }
}
