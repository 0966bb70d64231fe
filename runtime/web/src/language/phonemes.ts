/** The 39 phonemes of CMUdict in alphabetical order: phoneme ids are places in this list. */
export const PHONEMES: readonly string[] = (
  "AA AE AH AO AW AY B CH D DH EH ER EY F G HH IH IY JH K L M N NG OW OY P R S SH T TH UH UW V W " +
  "Y Z ZH"
).split(" ");

/** The CTC blank's class in the phoneme head. */
export const BLANK = PHONEMES.length;

export const MAX_PHONEMES = 64;
