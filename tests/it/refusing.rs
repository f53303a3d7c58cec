//! What the program does not do: take the place of what it reads, or say “done” of what was not
//! asked for.

use std::fs;
use std::path::Path;

use orthobrush::disk::{is_same_file, replace_file, version_path};
use orthobrush::geom::{ImageSize, PixelRect};
use orthobrush::label::{
    ClassTable, IndexTiff, Mask, MaskError, SaveAs, save_index_tiff, save_mask,
};
use orthobrush::raster::files_beneath;

use crate::fixture::{own_sample, sample};
use crate::program::{done, json, refused, text};

/// `arguments` must be refused with `words`, and the file at `path` stays as it is.
#[track_caller]
fn keeps(path: &Path, arguments: &[&str], words: &[&str]) {
    let before = fs::read(path).expect("a file");
    refused(arguments, words);
    let is_kept = fs::read(path).is_ok_and(|now| now == before);
    assert!(is_kept, "{} is another file now", path.display());
}

#[test]
fn a_picture_takes_the_place_of_nothing_that_it_shows_and_is_a_png() {
    let (folder, ortho) = own_sample();
    let photo = folder.path().join("photo.png");
    image::RgbImage::new(20, 10).save(&photo).expect("saved");
    let around = folder.path().join(".").join("photo.png");
    let (ortho, png, out) = (text(&ortho), text(&photo), text(&around));
    let taken = ["would replace a file", "photo.png"];
    let prediction = ["--prediction", png, "--out", out];
    keeps(&photo, &["render", png, "--out", out], &taken);
    keeps(
        &photo,
        &["render", ortho, "--label", png, "--out", out],
        &taken,
    );
    keeps(
        &photo,
        &[&["render", ortho][..], &prediction].concat(),
        &taken,
    );
    keeps(&photo, &["screenshot", png, "--out", out], &taken);
    keeps(
        &photo,
        &["screenshot", text(folder.path()), "--out", out],
        &taken,
    );
    keeps(
        &photo,
        &[&["screenshot", ortho][..], &prediction].concat(),
        &taken,
    );
    let is_no_png = ["ends in .png", "ortho.tif"];
    for command in ["render", "screenshot"] {
        keeps(
            Path::new(ortho),
            &[command, ortho, "--out", ortho],
            &is_no_png,
        );
    }
}

#[test]
fn a_picture_takes_the_place_of_no_file_of_a_mosaic() {
    let (folder, ortho) = own_sample();
    let vrt = folder.path().join("all.vrt");
    let png = folder.path().join("part.png");
    image::RgbImage::new(20, 10).save(&png).expect("saved");
    let rect = |name: &str| format!("<{name} xOff='0' yOff='0' xSize='20' ySize='10'/>");
    let mosaic = format!(
        "<VRTDataset rasterXSize='20' rasterYSize='10'><VRTRasterBand dataType='Byte' band='1'>\
         <SimpleSource><SourceFilename relativeToVRT='1'>part.png</SourceFilename>\
         <SourceBand>1</SourceBand>{}{}</SimpleSource></VRTRasterBand></VRTDataset>",
        rect("SrcRect"),
        rect("DstRect"),
    );
    replace_file(&vrt, mosaic.as_bytes()).expect("written");
    let beneath = files_beneath(&vrt);
    assert!(beneath.len() == 1 && is_same_file(&beneath[0], &png));
    assert!(files_beneath(&ortho).is_empty());
    let taken = ["would replace a file", "part.png"];
    for command in ["render", "screenshot"] {
        keeps(&png, &[command, text(&vrt), "--out", text(&png)], &taken);
    }
}

#[test]
fn a_demo_goes_into_a_folder_of_its_own() {
    let folder = tempfile::tempdir().expect("a folder");
    let mine = folder.path().join("run").join("mine.txt");
    fs::create_dir(folder.path().join("run")).expect("a folder");
    replace_file(&mine, b"mine").expect("written");
    let words = ["The folder holds files", "name a new one"];
    keeps(&mine, &["demo", "--out", text(folder.path())], &words);
}

#[test]
fn a_run_does_not_go_into_the_folder_of_its_image() {
    let (folder, ortho) = own_sample();
    let label = folder.path().join("label.tif");
    let truth = folder.path().join("label_true.tif");
    let ground = ["train", "--image", text(&ortho), "--label", text(&truth)];
    let run = [
        "--epochs",
        "1",
        "--device",
        "cpu",
        "--out",
        text(folder.path()),
    ];
    let words = ["classes.toml, label.tif", "name a new one"];
    keeps(&label, &[&ground[..], &run].concat(), &words);
    assert!(!folder.path().join("ckpt").exists());
}

#[test]
fn a_class_table_of_ones_own_is_not_lost() {
    let (folder, ortho) = own_sample();
    let at = |name: &str| folder.path().join(name);
    let read = |path: &Path| fs::read_to_string(path).expect("a table");
    let own = format!("# my own words\n{}", read(&at("classes.toml")));
    let kept = at("tiles/classes.toml");
    replace_file(&kept, own.as_bytes()).expect("written");
    done(&["tiles", text(&ortho), "--out", text(&at("tiles"))]);
    assert_eq!(read(&kept), own);
    let (road, table) = (ClassTable::road().to_toml(), at("mask.classes.toml"));
    replace_file(&table, road.as_bytes()).expect("written");
    let (label, out) = (at("label.tif"), at("mask.png"));
    done(&["convert", text(&label), "--out", text(&out)]);
    assert_ne!(read(&table), road);
    assert_eq!(read(&version_path(&table, 1)), road);
}

#[test]
fn a_sample_does_not_go_over_files_that_are_there() {
    let (folder, ortho) = own_sample();
    let sample = ["sample", "--size", "64x64", "--out", text(folder.path())];
    let label = folder.path().join("label.tif");
    keeps(&label, &sample, &["ortho.tif", "a folder of its own"]);
    fs::remove_file(ortho).expect("removed");
    keeps(&label, &sample, &["label.tif", "a folder of its own"]);
}

#[test]
fn scores_are_of_the_ground_that_is_named() {
    let (truth, label) = (text(&sample().label_true), text(&sample().label));
    let eval = ["eval", "--truth", truth, "--pred", label];
    let with = |more: &[&'static str]| [&eval[..], more].concat();
    let pixels = |more: &[&'static str]| json(&with(more))["pixels"].clone();
    assert_eq!(pixels(&["--json", "--view", "0,0,10,20"]), 200);
    assert_eq!(pixels(&["--json", "--polygon", "0,0,10,0,10,20,0,20"]), 200);
    assert_eq!(
        pixels(&["--json", "--by", "view", "--view", "1020,0,90,9"]),
        36
    );
    refused(
        &with(&["--by", "cells", "--view", "0,0,9,9"]),
        &["--by view"],
    );
    refused(
        &with(&["--by", "image", "--view", "0,0,9,9"]),
        &["--by view"],
    );
    refused(&with(&["--by", "view"]), &["Say with --view"]);
    let outside = ["view 1024,0,9,9 is outside", "1024 × 1024"];
    refused(
        &with(&["--view", "0,0,9,9", "--view", "1024,0,9,9"]),
        &outside,
    );
    let far = "2000,0,2090,0,2090,60";
    refused(
        &with(&["--polygon", far]),
        &["hold no pixel", "1024 × 1024"],
    );
}

#[test]
fn a_png_too_large_to_be_read_again_is_refused_before_it_is_predicted() {
    let (folder, _) = own_sample();
    let (vrt, out) = (folder.path().join("big.vrt"), folder.path().join("big.png"));
    let rect = |name: &str| format!("<{name} xOff='0' yOff='0' xSize='1024' ySize='1024'/>");
    let mosaic = format!(
        "<VRTDataset rasterXSize='40000' rasterYSize='30000'>\
         <VRTRasterBand dataType='Byte' band='1'><SimpleSource>\
         <SourceFilename relativeToVRT='1'>ortho.tif</SourceFilename>\
         <SourceBand>1</SourceBand>{}{}</SimpleSource></VRTRasterBand></VRTDataset>",
        rect("SrcRect"),
        rect("DstRect"),
    );
    replace_file(&vrt, mosaic.as_bytes()).expect("written");
    // Before the model is looked at, which is none.
    let predict = [
        "predict",
        "--model",
        text(folder.path()),
        "--image",
        text(&vrt),
        "--out",
    ];
    let words = ["40000 × 30000", "name the output .tif", "big.png"];
    refused(&[&predict[..], &[text(&out)]].concat(), &words);
}

#[test]
fn a_picture_that_cannot_be_drawn_whole_is_said() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name);
    let (ortho, out) = (text(&sample().ortho), at("out.png"));
    let render = |more: &[&str], words: &[&str]| {
        refused(&[&["render", "--out", text(&out)], more].concat(), words);
    };
    render(
        &[ortho, "--rect", "1024,0,9,9"],
        &["outside", "1024 × 1024"],
    );
    render(&[ortho, "--bands", "4,1,2"], &["no band 4", "1, 2, 3"]);
    assert!(!out.exists());
    // Hardly packed, so that the second half is missing.
    let grain = |x: u32, y: u32| ((x * 7_919 + y * 104_729) ^ (x * y)) as u8;
    let photo = image::RgbImage::from_fn(400, 400, |x, y| {
        image::Rgb([grain(x, y), grain(y, x + 9), grain(x + 5, y + 3)])
    });
    photo.save(at("photo.png")).expect("saved");
    let bytes = fs::read(at("photo.png")).expect("a PNG");
    replace_file(&at("half.png"), &bytes[..bytes.len() / 2]).expect("written");
    render(&[text(&at("half.png"))], &["holes", "half.png"]);
    done(&["render", text(&at("photo.png")), "--out", text(&out)]);
}

#[test]
fn only_masks_of_the_same_classes_are_compared() {
    let (folder, ortho) = own_sample();
    let at = |name: &str| folder.path().join(name);
    let (label, truth) = (at("label.tif"), at("label_true.tif"));
    let classes = ClassTable::load(&at("classes.toml")).expect("a table");
    classes.save(&at("label.classes.toml")).expect("saved");
    let compare = [
        "compare",
        "--json",
        "--image",
        text(&ortho),
        "--a",
        text(&label),
    ];
    let found = |b: &Path| json(&[&compare[..], &["--b", text(b)]].concat());
    let differs = |b: &Path, words: &[&str]| {
        refused(&[&compare[..], &["--b", text(b)]].concat(), words);
    };
    differs(&ortho, &["3 bands", "no mask", "ortho.tif"]);
    found(&truth);
    let other = classes.renamed(1, "river").expect("a table");
    other.save(&at("label_true.classes.toml")).expect("saved");
    differs(&truth, &["other classes", "river in B"]);

    // One value that is no class: counted in a mask, a color in a picture with a palette.
    let size = ImageSize::new(1_024, 1_024);
    let file = IndexTiff {
        size,
        classes: None,
        georef: None,
        meaning: None,
    };
    let all_are = |rect: PixelRect| Ok::<_, MaskError>(vec![99; rect.num_pixels() as usize]);
    save_index_tiff(&at("new.tif"), &file, all_are).expect("saved");
    let all_new = found(&at("new.tif"));
    assert!(all_new["pixels"].as_u64() > Some(0), "{all_new}");
    assert_eq!(all_new["changed"], all_new["pixels"]);
    let (mask, colors) = (Mask::filled(size, 99), ClassTable::from_values([99]));
    let png = at("colors.png");
    save_mask(&png, &mask, &colors, None, SaveAs::IndexPng).expect("saved");
    differs(
        &png,
        &["looks like a picture", "the first 99", "colors.png"],
    );
}
