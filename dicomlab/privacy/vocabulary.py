"""Words that descriptions of series are made of: they are about bodies and machines, whoever's name is like them.

A patient may be called Long, and an institute of MRI has MRI in its name: the long axis and the MRI stay readable.
"""

from __future__ import annotations

from dicomlab.privacy.table import listed

__all__ = ["is_plain"]

_WORDS = listed(
    """
    a2c a4c abd abdo abdom abdomen abdominal ac acq acquisition adc adrenal adrenals afi air algo all anat anatomical
    anatomy and angio angiography ankle annotation annotations aorta aortic ap app arm arterial artery as asl atrium average
    avg ax axe axes axi axial axis b0 b1 b1000 b50 b500 b800 back band base baseline bh biliary bits bladder blade blood
    body bold bolus bone bones bottom bowel brain bravo breast breath bronchus bv bw c calc calcium calf car cardiac carotid
    cbct cbf cbv cc ce cect cerebral cerebrum cervical cest chest cine ciss clavicle coil cold colon color colour combined
    common composite contrast control converted cor coro coronal coronary corr corrected corrig cow cr crane cranium csf csi
    ct cta ctac ctp cube curved cut dce deep del delay delayed den denoised density der derived des device diagnostic diast
    diastole diastolic diff diffusion dimension dir dixon dl do dorsal dose doubled dsa dti dual duct dwi dx dyn dynamic
    early ecg echo echoes ecv eeg elbow emission en enhanced ep epi equilibrium et etl exam excretion exp expiration ext
    extremity eye fa face fast fat fatsat fb fdg fe feet femur fgre field fiesta fil files filter filtered final fine first
    fl flair flash flow fluid fmri foot for forearm fov frac frame free frontal fs fse full func function functional fundus
    fusion gad gado gadolinium gain gallbladder gantry gated gating gd ge gradient gravity gre grey hand hands hard haste hd
    head heart height helical hemi hepatic hfs high hip hips hires hr hrct humerus hybrid iac ideal im image images imaging
    in index inf inferior infusion inj injection inner inphase inside insp inspiration inspiratory instances int interleaved
    inv inversion inverted iodine ir iso isotropic iterative iv ivim jaw joint jpeg k kernel kidney kidneys knee knees kv
    kvp l l1 lac large lat late lateral lava left leg legacy legs level lge limb line liver loc local localiser localizer
    localizers loco long low lower ls lspine lumbar lung lungs lut mag magnitude mandible map mapping maps mask matrix
    maxilla mean measurement median mediastinum medium medulla mge mip missing mm mnac modality mode mono monochrome1
    monoenergetic mosaic motion mpr mprage mr mra mrcp mre mri mrs mrv mt muscle myo myocardium nac nasal native neck nephro
    nerve neuro nm no non noncontrast nose oa ob obl oblique of off on op opp opposed optic orbit orbits organ os out
    outphase ovary over pa pancreas para parallel parametric part pass pc pd pdw pe pediatric pelvic pelvis perf perfusion
    pet phantom phase phases phi plain plan plane planes plus portal portovenous position post posterior pre presentation
    pressure prone prop propeller prostate protocol proton ps psif psir pt pulmonary pv pvp pw px qa qsm quant quick r
    radial radius raw re real rec recon reconstruction rectum red reduced ref reference region registered rel renal report
    res resp respiratory rest result results rib ribs right rl rot rotation routine rt run s sac sacral sacrum sag sagittal
    sample scan scano scanogram scapula scout screen se sec second sedation seg segmentation sense sequence series set setup
    sft sharp short shoulder si side sign signal single sinus sinuses skeleton skin skull slab slice slices slopes slow
    small smooth sms soft spacing spair spe spect spectral spgr spin spinal spine spir spiral spleen sr ss ssfp ssfse stack
    stacks standard start state states static std ste step stereo sternum stir stomach stop store stress structure
    structures study sub subtraction sum summary sup superior supine surface survey surview swan swi syst systole systolic t
    t1 t1w t2 t2w task tcw te temporal test testis tf tfe tfl the thick thigh thin thoracic thorax thyroid ti tibia tilt
    time tir tirm tissue to tof top topo topogram total tr tra trace tracew trachea traction trans transaxial transversal
    transverse trig trigger triggered true trufi trunk tse tspine tube tumor tumour turbo two ulna ultra unenhanced uneven
    up upper ureter urinary urography us uterus va vasc vascular vein veins velocity ven venous ventral ventricle ventricles
    vert vertebra vessel vessels vibe view views virtual vista vol volume vrt warp wash water wb weighted whole wide width
    window with without wo woc wrist x xr y z zoom
    """
)


def is_plain(word: str) -> bool:
    """Whether a word, folded, is never masked: it belongs to the trade, or is as short as T1, 3D and 5mm are."""
    return (
        word in _WORDS
        or (word.isascii() and (len(word) == 1 or (len(word) == 2 and not word.isalpha())))
        or (word.endswith("mm") and word[:-2].isdecimal())
    )
