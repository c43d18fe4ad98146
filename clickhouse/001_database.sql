-- The database of the pipeline. Every file here may be applied again: what is there stays as it is.
CREATE DATABASE IF NOT EXISTS crypto;
