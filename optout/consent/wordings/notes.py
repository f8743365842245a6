"""The sentences of what a fingerprinter remarks about a work, in every language, by the code of the remark.

Placeholders: {seconds} how long, {begin} and {end} from where to where, both as minutes and seconds.
"""

from collections.abc import Mapping

EN: Mapping[str, str] = {
    "image-flat": "This picture is almost blank, so only the exact same file can be recognised, not a changed copy.",
    "image-features-missing": (
        "A program is missing here, so this picture is not recognised where it is only a part of another one. Tell the "
        "operator."
    ),
    "image-few-features": (
        "There is little detail in this picture: copies of the whole are recognised, small parts of it are not."
    ),
    "audio-too-short": "This recording is too short to recognise copies of it: only the exact same file is found.",
    "audio-silent": "This recording is silent, so only the exact same file can be recognised.",
    "audio-monotonous": "This recording changes too little to recognise copies of it: only the same file is found.",
    "audio-partly-unidentifiable": (
        "{seconds} seconds of this recording can't be recognised: they are silent or change too little. A copy of them "
        "alone is not found."
    ),
    "audio-part-silent": "From {begin} to {end} it can't be recognised: that part is silent.",
    "audio-part-monotonous": "From {begin} to {end} it can't be recognised: that part changes too little.",
    "audio-damaged": "This recording is damaged in places: what could be heard of it is recognised.",
    "video-sound-only": "Nothing could be recognised by the moving picture of this video, only by its sound.",
    "video-picture-only": "Nothing could be recognised by the sound of this video, only by its moving picture.",
    "video-flat": "There is too little to see and hear in this video: only the exact same file can be recognised.",
    "video-damaged": "This video is damaged in places: what could be seen of it is recognised.",
    "video-sparse": "This video is long: short clips of its later part may not be recognised.",
    "video-words-missing": "Captions of this video could not be had so far: it is recognised by its sound alone.",
    "video-sound-missing": "The sound of this video could not be had so far: it is recognised by its captions alone.",
    "text-pages-missing": "So many pages of this document are pictures without text that these are not recognised.",
    "text-page-plays": (
        "There is a video or a sound on this page, and only the words of the page are recognised. Register the file of "
        "the video or the sound, too, or ask for the sound with the link."
    ),
    "text-repetitive": "This text repeats itself too much to recognise copies of it: only the same file is found.",
    "text-too-short": "This text is too short to recognise copies of it: only the exact same file is found.",
}

FR: Mapping[str, str] = {
    "image-flat": (
        "Cette image est presque vide\u00a0: seul le même fichier pourra être reconnu, pas une copie modifiée."
    ),
    "image-features-missing": (
        "Un programme manque ici\u00a0: cette image n'est pas reconnue si elle n'est qu'une partie d'une autre. "
        "Prévenez l'exploitant."
    ),
    "image-few-features": (
        "Cette image a peu de détails\u00a0: les copies entières sont reconnues, mais pas de petites parties."
    ),
    "audio-too-short": (
        "Cet enregistrement est trop court pour en reconnaître des copies\u00a0: seul le même fichier est trouvé."
    ),
    "audio-silent": "Cet enregistrement est silencieux\u00a0: seul le même fichier pourra être reconnu.",
    "audio-monotonous": (
        "Cet enregistrement varie trop peu pour en reconnaître des copies\u00a0: seul le même fichier est trouvé."
    ),
    "audio-partly-unidentifiable": (
        "{seconds} secondes de cet enregistrement ne peuvent pas être reconnues\u00a0: elles sont silencieuses ou "
        "changent trop peu. Une copie de ces seules secondes n'est pas trouvée."
    ),
    "audio-part-silent": "De {begin} à {end}, il ne peut pas être reconnu\u00a0: cette partie est silencieuse.",
    "audio-part-monotonous": "De {begin} à {end}, il ne peut pas être reconnu\u00a0: cette partie change trop peu.",
    "audio-damaged": "Cet enregistrement est abîmé par endroits\u00a0: ce qui a pu en être entendu est reconnu.",
    "video-sound-only": "Rien ne pourra être reconnu par l'image de cette vidéo, seulement par le son.",
    "video-picture-only": "Rien ne pourra être reconnu par le son de cette vidéo, seulement par l'image.",
    "video-flat": "Il y a trop peu à voir et à entendre dans cette vidéo\u00a0: seul le même fichier est reconnu.",
    "video-damaged": "Cette vidéo est abîmée par endroits\u00a0: ce qui a pu en être vu est reconnu.",
    "video-sparse": "Cette vidéo est longue\u00a0: de courts extraits de sa fin pourraient ne pas être reconnus.",
    "video-words-missing": (
        "Les sous-titres de cette vidéo n'ont pas pu être obtenus jusqu'ici\u00a0: elle est reconnue par son seul son."
    ),
    "video-sound-missing": (
        "Le son de cette vidéo n'a pas pu être obtenu jusqu'ici\u00a0: elle est reconnue par ses seuls sous-titres."
    ),
    "text-pages-missing": (
        "Tant de pages de ce document sont des images sans texte que celles-ci ne sont pas reconnues."
    ),
    "text-page-plays": (
        "Il y a une vidéo ou un son sur cette page, et seuls les mots de la page sont reconnus. Enregistrez aussi le "
        "fichier de la vidéo ou du son, ou demandez le son avec le lien."
    ),
    "text-repetitive": (
        "Ce texte se répète trop pour que des copies en soient reconnues\u00a0: seul le même fichier est trouvé."
    ),
    "text-too-short": "Ce texte est trop court pour en reconnaître des copies\u00a0: seul le même fichier est trouvé.",
}
