// Starts what a page needs. Every page works without this; it only makes pages live and forms nicer.

import { startPage } from "../../ui/js/page.js";
import { startChecks } from "./checks.js";
import { startFileDrops } from "./files.js";
import { startLive } from "./live.js";
import { startStream } from "./stream.js";

startPage();
startChecks();
startFileDrops();
startLive();
startStream();
