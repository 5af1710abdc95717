// Starts what the operators' pages need. Every page works without this.

import { startPage } from "./page.js";

startPage();
