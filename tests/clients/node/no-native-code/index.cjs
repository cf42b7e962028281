'use strict';

// msgpackr, which Bull packs arguments with, does without when there is nothing here.
module.exports = null;
