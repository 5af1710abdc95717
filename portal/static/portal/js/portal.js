// Starts what a page needs. Every page works without this; it only makes pages live and forms nicer.

import { startPage } from "../../ui/js/page.js";
import { startBeside } from "./beside.js";
import { startChecks } from "./checks.js";
import { startFileDrops } from "./files.js";
import { startKeptForms } from "./kept_form.js";
import { startLive } from "./live.js";
import { startPasskeys } from "./passkeys.js";
import { startStream } from "./stream.js";
import { startTold } from "./told.js";
import { startTranscript } from "./transcript.js";

startPage();
startBeside();
startChecks();
startFileDrops();
startKeptForms();
startLive();
startPasskeys();
startStream();
startTold();
startTranscript();
