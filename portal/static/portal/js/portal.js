// Starts what a page needs. Every page works without this; it only makes pages live and forms nicer.

import { startCopyButtons, startConfirms, startMenus, startSubmitOnce, startTheme, startTimes } from "./page.js";
import { startChecks } from "./checks.js";
import { startFileDrops } from "./files.js";
import { startLive } from "./live.js";
import { startStream } from "./stream.js";

document.documentElement.classList.add("js");
startTheme();
startMenus();
startCopyButtons();
startConfirms();
startSubmitOnce();
startTimes();
startChecks();
startFileDrops();
startLive();
startStream();
