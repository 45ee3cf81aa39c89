"""ZKTeco terminals that push by themselves (ADMS, /iclock). See docs/protocols/zkteco-adms.md."""
