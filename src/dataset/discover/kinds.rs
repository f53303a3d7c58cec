use std::fmt;

use serde::Serialize;

/// A way in which data sets lie on disks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LayoutKind {
    /// LandCover.ai, whole tiles.
    LandCoverAi,
    /// LandCover.ai, cut by its own program: `TILE_K.jpg` with `TILE_K_m.png`.
    LandCoverAiSplit,
    /// LandCover.ai, cut into `TILE_patch_IJ.tif`.
    LandCoverAiPatches,
    /// Roads in `ID_ROW_COLUMN.jpg`, the trees of the `SageMaker` example.
    SageMakerRoads,
    /// `DeepGlobe` land cover, colors.
    DeepGlobeLandCover,
    /// `DeepGlobe` roads, black and white.
    DeepGlobeRoads,
    /// `CamVid` as published: `FRAME.png` with `FRAME_L.png` beside it, 32 colors.
    CamVid,
    /// `CamVid` with its colors in folders of their own.
    CamVidSuite,
    /// `CamVid` with indices of 11 classes in `trainannot` and its like.
    CamVidSegNet,
    /// TGS salt.
    TgsSalt,
    /// Massachusetts roads.
    MassachusettsRoads,
    /// EPFL roads, soft masks.
    EpflRoads,
    /// `LoveDA`.
    LoveDa,
    /// ISPRS Potsdam.
    Potsdam,
    /// ISPRS Vaihingen.
    Vaihingen,
    /// `img_dir` and `ann_dir` of another data set.
    MmSegmentation,
    /// Inria buildings.
    Inria,
    /// Folders of images and of masks.
    PairedFolders,
    /// Masks beside their images, told apart by the ends of their names.
    PairedNames,
    /// Images without masks.
    ImagesOnly,
    /// A folder of several data sets.
    Several,
}

impl LayoutKind {
    /// What people call it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::LandCoverAi => "LandCover.ai tiles",
            Self::LandCoverAiSplit => "LandCover.ai, split",
            Self::LandCoverAiPatches => "LandCover.ai patches",
            Self::SageMakerRoads => "Road tiles of the SageMaker example",
            Self::DeepGlobeLandCover => "DeepGlobe land cover",
            Self::DeepGlobeRoads => "DeepGlobe roads",
            Self::CamVid => "CamVid",
            Self::CamVidSuite => "CamVid, masks in folders of their own",
            Self::CamVidSegNet => "CamVid, 11 classes",
            Self::TgsSalt => "TGS salt",
            Self::MassachusettsRoads => "Massachusetts roads",
            Self::EpflRoads => "EPFL roads",
            Self::LoveDa => "LoveDA",
            Self::Potsdam => "ISPRS Potsdam",
            Self::Vaihingen => "ISPRS Vaihingen",
            Self::MmSegmentation => "img_dir and ann_dir",
            Self::Inria => "Inria buildings",
            Self::PairedFolders => "Folders of images and masks",
            Self::PairedNames => "Masks beside their images",
            Self::ImagesOnly => "Images without masks",
            Self::Several => "Several data sets",
        }
    }
}

impl fmt::Display for LayoutKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A recognized layout.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Layout {
    /// Which one.
    pub kind: LayoutKind,
    /// Why, as a sentence without its period.
    pub why: String,
}

impl fmt::Display for Layout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.kind, self.why)
    }
}
